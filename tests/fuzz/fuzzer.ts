/** Coverage-guided fuzzing: mutates inputs of the corpus in batches, and keeps an input that reaches new code. */
import { Coverage, OURS } from "./coverage";
import type { Place } from "./coverage";
import { mutate } from "./mutate";
import { Random } from "./random";
import type { Target } from "./target";

/** Inputs in a batch. Reading V8's coverage costs as much as hundreds of inputs. */
const BATCH = 400;
const CORPUS_MAX = 400;
/** Inputs of one batch that are located when it has reached new code. */
const FINDS = 3;

export interface Finding {
  readonly target: string;
  readonly input: Uint8Array;
  readonly error: string;
}

export interface FuzzerHooks {
  /** Called before each input, so that a hang can be attributed to it. */
  before?(target: number, input: Uint8Array): void;
  finding(finding: Finding): void;
}

export class Fuzzer {
  inputs = 0;
  readonly coverage: Coverage;
  readonly #targets: readonly Target[];
  readonly #corpus: Uint8Array[][];
  readonly #random: Random;
  readonly #hooks: FuzzerHooks;

  constructor(targets: readonly Target[], seed: number, hooks: FuzzerHooks, code = OURS) {
    this.coverage = new Coverage(code);
    this.#targets = targets;
    this.#corpus = targets.map((target) => [...target.seeds]);
    this.#random = new Random(seed);
    this.#hooks = hooks;
    targets.forEach((target, index) => target.seeds.forEach((input) => this.run(index, input)));
    this.coverage.learn(this.coverage.take());
  }

  /** Inputs in the corpora of all targets. */
  get corpusSize(): number {
    return this.#corpus.reduce((sum, inputs) => sum + inputs.length, 0);
  }

  /** Runs one batch of one target. */
  batch(index: number): void {
    const target = this.#targets[index];
    const corpus = this.#corpus[index];
    if (target === undefined || corpus === undefined) return;
    const inputs = Array.from({ length: BATCH }, () =>
      mutate(this.#random.pick(corpus), this.#random.pick(corpus), target.tokens, this.#random),
    );
    for (const input of inputs) this.run(index, input);
    let fresh = this.coverage.learn(this.coverage.take());
    for (let find = 0; find < FINDS && fresh.length > 0; find++) {
      const { input, reached } = this.#locate(index, inputs, fresh);
      if (input === undefined || reached.length === 0) return;
      fresh = fresh.filter((place) => !reached.includes(place));
      // Random replacement keeps the corpus bounded.
      if (corpus.length < CORPUS_MAX) corpus.push(input);
      else corpus[this.#random.below(CORPUS_MAX)] = input;
    }
  }

  run(index: number, input: Uint8Array): void {
    const target = this.#targets[index];
    if (target === undefined) return;
    this.#hooks.before?.(index, input);
    this.inputs++;
    try {
      target.run(input);
    } catch (error) {
      this.#hooks.finding({
        target: target.name,
        input,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }

  /** Halves the batch until one input is left that reaches some of `fresh`. */
  #locate(
    index: number,
    inputs: readonly Uint8Array[],
    fresh: readonly Place[],
  ): { input: Uint8Array | undefined; reached: readonly Place[] } {
    let candidates = inputs;
    while (candidates.length > 1) {
      const half = candidates.slice(0, candidates.length >> 1);
      candidates = this.#reached(index, half, fresh).length > 0 ? half : candidates.slice(half.length);
    }
    return { input: candidates[0], reached: this.#reached(index, candidates, fresh) };
  }

  #reached(index: number, inputs: readonly Uint8Array[], fresh: readonly Place[]): Place[] {
    this.coverage.take();
    for (const input of inputs) {
      try {
        this.#targets[index]?.run(input);
      } catch {
        // It was reported at its first run.
      }
    }
    const taken = this.coverage.take();
    return fresh.filter(({ url, offset }) => taken.get(url)?.[offset] === 1);
  }
}
