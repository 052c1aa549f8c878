/** What a rank's process gets: the options of the training as JSON, then perhaps the request to stop. */
export type ToRank = { readonly start: string } | { readonly cancel: true };

/** What it sends: messages of the addon, the last one as `end`. */
export type FromRank = { readonly event: string } | { readonly end: string };
