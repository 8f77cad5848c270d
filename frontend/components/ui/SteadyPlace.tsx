import { Component, type ReactNode } from "react";

interface Props {
  /** Changes with whatever may move an item. */
  layout: string;
  children: ReactNode;
}

interface Place {
  item: Element;
  top: number;
}

/**
 * Keeps what is being read in its place when items appear, grow or go above it: the item with the focus or under the
 * pointer or, if the page has been scrolled, the first one in sight. The browser's own scroll anchoring does not work at
 * the top of a page, and Safari has none. A class, because only classes can look at the page just before it changes.
 */
export class SteadyPlace extends Component<Props> {
  override getSnapshotBeforeUpdate(before: Props): Place | null {
    if (before.layout === this.props.layout) return null;
    const item = itemBeingRead();
    return item && { item, top: item.getBoundingClientRect().top };
  }

  override componentDidUpdate(_before: Props, _state: unknown, place: Place | null): void {
    if (!place?.item.isConnected) return;
    const moved = place.item.getBoundingClientRect().top - place.top;
    if (moved !== 0) window.scrollBy({ top: moved, behavior: "instant" });
  }

  override render(): ReactNode {
    return this.props.children;
  }
}

function itemBeingRead(): Element | null {
  const header = document.querySelector("header")?.getBoundingClientRect().bottom ?? 0;
  const all = [...document.querySelectorAll("article")];
  const inSight = all.filter((item) => {
    const { top, bottom } = item.getBoundingClientRect();
    return bottom > header && top < window.innerHeight;
  });
  const used = (selector: string) => inSight.find((item) => item.matches(selector));
  const scrolled = all[0] !== undefined && all[0].getBoundingClientRect().top < header;
  return used(":focus-within") ?? used(":hover") ?? (scrolled ? (inSight[0] ?? null) : null);
}
