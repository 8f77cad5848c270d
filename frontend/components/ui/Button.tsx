import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";

/** Each look has a border, also one that nobody sees: with forced colours it is all that makes a button. */
const LOOKS = {
  primary: "border-transparent bg-accent text-page hover:bg-[#5ff7e8]",
  plain: "border-line bg-surface text-ink hover:border-slate-500 hover:bg-line",
  danger: "border-line bg-surface text-red-300 hover:border-red-400/60 hover:bg-red-500/10",
  destructive: "border-transparent bg-red-600 text-white hover:bg-red-700",
};

const SHAPE =
  "inline-flex min-h-11 items-center justify-center gap-2 whitespace-nowrap rounded-lg border px-3.5 font-medium text-sm transition-colors disabled:cursor-not-allowed disabled:opacity-60 aria-disabled:opacity-60 sm:min-h-10";

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: keyof typeof LOOKS;
  ref?: Ref<HTMLButtonElement>;
  /** Ignores clicks for now. Unlike a disabled button it keeps the focus. */
  busy?: boolean | undefined;
}

export function Button({
  look = "plain",
  busy = false,
  className = "",
  type = "button",
  onClick,
  ...rest
}: Props) {
  return (
    <button
      type={type}
      aria-disabled={busy}
      onClick={busy ? (event) => event.preventDefault() : onClick}
      className={`${SHAPE} ${LOOKS[look]} ${className}`}
      {...rest}
    />
  );
}

interface LinkProps {
  href: string;
  look?: keyof typeof LOOKS;
  "aria-label"?: string;
  children: ReactNode;
}

/** Leads elsewhere, and looks like a button. */
export function ButtonLink({ look = "plain", ...rest }: LinkProps) {
  return <a className={`${SHAPE} ${LOOKS[look]}`} {...rest} />;
}
