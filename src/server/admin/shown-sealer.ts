/** Sealers as operators see them. */
import type { SealerRecord } from '../../vault/sealer.ts'

/** What may be known of a sealer: neither what it wraps nor what its shares hash to. */
export function shownSealer({ id, settings, createdAt, testedAt, replaces }: SealerRecord) {
  const details =
    settings.kind === 'shamir'
      ? { shares: settings.shares, threshold: settings.threshold, set: settings.set }
      : settings.kind === 'file'
        ? { path: settings.path }
        : settings.kind === 'pkcs11'
          ? { token: settings.token, module: settings.module }
          : settings.kind === 'kms'
            ? { keyId: settings.keyId, endpoint: settings.endpoint }
            : {}
  return {
    id,
    kind: settings.kind,
    ...details,
    createdAt: new Date(createdAt).toISOString(),
    ...(testedAt !== undefined && { testedAt: new Date(testedAt).toISOString() }),
    ...(replaces !== undefined && { replaces }),
  }
}
