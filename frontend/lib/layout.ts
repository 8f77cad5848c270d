/** Whether jobs are shown as a compact grid. The browser remembers it; one that keeps nothing starts with the list. */

export const LAYOUT = "jobs-layout";

export function prefersGrid(): boolean {
  try {
    return localStorage.getItem(LAYOUT) === "grid";
  } catch {
    return false;
  }
}

/** The width of the page goes by it from the first drawing on: lib/first-list-script.ts. */
export function showLayout(grid: boolean): void {
  document.documentElement.dataset.layout = grid ? "grid" : "list";
}

export function rememberLayout(grid: boolean): void {
  try {
    localStorage.setItem(LAYOUT, grid ? "grid" : "list");
  } catch {
    // The choice holds for this visit.
  }
}
