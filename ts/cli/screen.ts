/** A terminal, whose last line is rewritten, or a log, to which lines are added. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}
