/** What every verb takes beside its options. */
export interface Abortable {
  /**
   * Ends the work at its next safe point; the result then rejects with `ERR_CANCELLED`, whose `cause` is the signal's reason.
   */
  readonly signal?: AbortSignal | undefined;
}
