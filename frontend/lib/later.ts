/** Loads what a list needs only once the user does something with it, or if it is empty. */
export const loadLater = () => import("@/components/Later");
