/** One request to a machine, numbered by whoever asks. Answered exactly once. */
export type RequestId = number;
