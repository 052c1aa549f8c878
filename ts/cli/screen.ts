/** Where a renderer writes; a terminal gets one line that is rewritten, a log gets a line now and then. */
export interface Screen {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}
