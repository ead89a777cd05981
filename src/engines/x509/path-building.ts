/**
 * A path from a certificate to an anchor, among certificates of which any number may be useless, crossed or made to cost (RFC 4158).
 * Every path is tried until one is valid or the budget is spent. Pure: time, anchors and intermediates come from the caller.
 *
 * @example
 * const result = await buildPath(leaf, { intermediates, anchors, now, purpose: 'server' })
 * if (result.isValid) result.path // from the leaf to the anchor
 */
import { nameKey, type PathCertificate } from './path-certificate.ts'
import {
  authorityProblem,
  ownProblem,
  type PathBudget,
  type PathOptions,
  type PathProblem,
  pathBudget,
  signatureProblem,
  validateContents,
} from './path-validation.ts'

export interface BuildOptions extends PathOptions {
  readonly anchors: readonly PathCertificate[]
  readonly intermediates: readonly PathCertificate[]
}

export type BuildResult =
  | { readonly isValid: true; readonly path: readonly PathCertificate[] }
  /** Of the path that came furthest. `no-issuer`: no certificate of that name is there. */
  | { readonly isValid: false; readonly problem: PathProblem | 'no-issuer' }

/** Certificates of a path, with leaf and anchor. */
export const PATH_LENGTH_MAX = 10
/** Issuers that are looked at. */
const STEPS_MAX = 1_000

export async function buildPath(leaf: PathCertificate, options: BuildOptions): Promise<BuildResult> {
  const search = new Search({ ...options, budget: options.budget ?? pathBudget() })
  const own = ownProblem(leaf, options.now, options.purpose)
  if (own) return { isValid: false, problem: own }
  const path = await search.from([leaf])
  return path ? { isValid: true, path } : { isValid: false, problem: search.problem }
}

/** How far a path came that ended with a problem. */
const RANKS = { absent: 0, unfit: 1, unsigned: 2, complete: 3, spent: 4 } as const

class Search {
  readonly #options: BuildOptions & { readonly budget: PathBudget }
  readonly #issuers = new Map<string, PathCertificate[]>()
  readonly #anchors: ReadonlySet<string>
  /** Signatures that were verified: fingerprints of certificate and issuer. */
  readonly #signatures = new Map<string, PathProblem | undefined>()
  #steps = STEPS_MAX
  #rank: number = RANKS.absent
  problem: PathProblem | 'no-issuer' = 'no-issuer'

  constructor(options: BuildOptions & { readonly budget: PathBudget }) {
    this.#options = options
    this.#anchors = new Set(options.anchors.map(({ fingerprint }) => fingerprint))
    const seen = new Set<string>()
    for (const each of [...options.anchors, ...options.intermediates]) {
      if (seen.has(each.fingerprint)) continue
      seen.add(each.fingerprint)
      const at = nameKey(each.subject)
      const known = this.#issuers.get(at)
      if (known) known.push(each)
      else this.#issuers.set(at, [each])
    }
  }

  /** The path with an anchor at its end. */
  async from(path: readonly PathCertificate[]): Promise<readonly PathCertificate[] | undefined> {
    const last = path.at(-1)!
    for (const issuer of this.#candidates(last)) {
      if (this.#rank === RANKS.spent) return undefined
      if (--this.#steps < 0) return this.#failed(RANKS.spent, 'budget')
      if (isRepeated(path, issuer)) continue
      const unfit = ownProblem(issuer, this.#options.now, this.#options.purpose) ?? authorityProblem(issuer)
      if (unfit) {
        this.#failed(RANKS.unfit, unfit)
        continue
      }
      const unsigned = await this.#signature(last, issuer)
      if (unsigned) {
        this.#failed(unsigned === 'budget' ? RANKS.spent : RANKS.unsigned, unsigned)
        continue
      }
      if (this.#anchors.has(issuer.fingerprint)) {
        const result = validateContents(path, issuer, this.#options)
        if (result.isValid) return [...path, issuer]
        this.#failed(result.problem === 'budget' ? RANKS.spent : RANKS.complete, result.problem)
        continue
      }
      if (path.length + 2 > PATH_LENGTH_MAX) continue
      const found = await this.from([...path, issuer])
      if (found) return found
    }
    return undefined
  }

  /** Anchors first, then those whose key the certificate names. */
  #candidates({ issuer, authorityKeyId }: PathCertificate): readonly PathCertificate[] {
    const score = (each: PathCertificate) =>
      (this.#anchors.has(each.fingerprint) ? 2 : 0) +
      (authorityKeyId !== undefined && each.subjectKeyId === authorityKeyId ? 1 : 0)
    return (this.#issuers.get(nameKey(issuer)) ?? []).toSorted((a, b) => score(b) - score(a))
  }

  async #signature(certificate: PathCertificate, issuer: PathCertificate): Promise<PathProblem | undefined> {
    const at = `${certificate.fingerprint} ${issuer.fingerprint}`
    if (!this.#signatures.has(at))
      this.#signatures.set(at, await signatureProblem(certificate, issuer, this.#options.budget))
    return this.#signatures.get(at)
  }

  #failed(rank: number, problem: PathProblem): undefined {
    if (rank <= this.#rank && this.#rank > RANKS.absent) return
    this.#rank = rank
    this.problem = problem
  }
}

/** RFC 4158 §5.2: a name and key occur once, so that crossed authorities make no loop. */
const isRepeated = (path: readonly PathCertificate[], issuer: PathCertificate): boolean =>
  path.some((each) => nameKey(each.subject) === nameKey(issuer.subject) && each.publicKey.equals(issuer.publicKey))
