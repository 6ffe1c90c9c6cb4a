// The time left: by the server's clock, shown quietly, spoken at agreed points.

const MINUTE_MS = 60000;
const ASK_EVERY_MS = 30000;

export class Countdown {
  #end;
  #allowedMs;
  #ask;
  #show;
  #speak;
  #onZero;
  #spoken = new Set();
  #over = false;

  // `ask()` resolves to the milliseconds left on the server, or rejects. Differences of a
  // monotonic clock only: a wrong clock on this computer changes nothing.
  constructor({ remainingMs, allowedMs, ask, show, speak, onZero }) {
    this.#allowedMs = allowedMs;
    this.#ask = ask;
    this.#show = show;
    this.#speak = speak;
    this.#onZero = onZero;
    this.#end = performance.now() + remainingMs;
    for (const point of this.#points()) if (remainingMs <= point) this.#spoken.add(point);
  }

  start() {
    this.#tick();
    setInterval(() => this.#tick(), 1000);
    setInterval(() => this.resync(), ASK_EVERY_MS);
    // A computer that slept has a clock that stood still.
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.resync(); });
  }

  get leftMs() {
    return Math.max(0, this.#end - performance.now());
  }

  set(remainingMs) {
    const added = remainingMs - this.leftMs;
    this.#end = performance.now() + remainingMs;
    if (added > ASK_EVERY_MS) {
      this.#over = false;
      this.#speak(`Time was added. ${inWords(remainingMs)} left.`);
    }
    this.#tick();
  }

  async resync() {
    try {
      this.set(await this.#ask());
      return true;
    } catch {
      return false;
    }
  }

  #points() {
    return [this.#allowedMs / 2, 15 * MINUTE_MS, 5 * MINUTE_MS, MINUTE_MS];
  }

  #tick() {
    const left = this.leftMs;
    this.#show(left);
    const passed = this.#points().filter((point) => left <= point && !this.#spoken.has(point));
    if (passed.length > 0) {
      passed.forEach((point) => this.#spoken.add(point));
      if (left > 0) this.#speak(`${inWords(left)} left.`);
    }
    if (left <= 0 && !this.#over) {
      this.#over = true;
      this.#onZero();
    }
  }
}

// The server rounds an end up to the whole second, so half an hour may begin with 1,800.9 s.
const minutes = (ms) => Math.ceil((ms - 999) / MINUTE_MS);

// Whole minutes, rounded up; seconds in the last minute only.
export function inWords(ms) {
  if (ms <= MINUTE_MS) {
    const seconds = Math.ceil(ms / 1000);
    return seconds === 60 ? "1 minute" : `${seconds} seconds`;
  }
  return `${minutes(ms)} minute${minutes(ms) === 1 ? "" : "s"}`;
}

export function short(ms) {
  return ms <= MINUTE_MS ? `${Math.ceil(ms / 1000)} s` : `${minutes(ms)} min`;
}
