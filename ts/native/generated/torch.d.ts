export declare function start(verb: string, options: string, workers: number, onMessage: (message: string) => void): () => void
export declare function describe(): { devices: string[]; precision: string }
