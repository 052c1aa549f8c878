/** What a rank's process gets: the options of the training as JSON, then perhaps the request to stop. */
export type ToRank = { readonly start: string } | { readonly cancel: true };
