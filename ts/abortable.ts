/** Options of every verb that only TypeScript has. */
export interface Abortable {
  /**
   * Cancels the run at its next safe point. The result then rejects with `ERR_CANCELLED`; the `cause` of the error is
   * the reason of the signal.
   */
  readonly signal?: AbortSignal | undefined;
}
