/** Whether jobs are shown as a compact grid. The browser remembers it; one that keeps nothing starts with the list. */

const LAYOUT = "jobs-layout";

export function prefersGrid(): boolean {
  try {
    return localStorage.getItem(LAYOUT) === "grid";
  } catch {
    return false;
  }
}

export function rememberLayout(grid: boolean): void {
  try {
    localStorage.setItem(LAYOUT, grid ? "grid" : "list");
  } catch {
    // The choice holds for this visit.
  }
}
