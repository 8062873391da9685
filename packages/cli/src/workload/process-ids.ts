/** Hands out process ids, none of them twice: after an unknown outcome a client takes a new one. */
export class ProcessIds {
  #next = 0;

  take(): number {
    return this.#next++;
  }
}
