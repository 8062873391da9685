/** The protocol versions that this build speaks. A link uses the highest that both sides speak. */
export const PROTOCOL = { min: 1, max: 1 } as const;
