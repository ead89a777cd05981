/**
 * Signature Version 4 and 4a: reading a request's claims, proving them, and signing requests of our own.
 * Two steps, because a credential has to be found between the claim and the proof.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
 */
export { misscoped } from './faults.ts'
export { type Algorithm, type Credential, SigningKeys } from './keys.ts'
export { carriesSignature, type PayloadKind, type Presented, present } from './present.ts'
export { actingRegion, notInSet, type Signature, signatureOf } from './regions.ts'
export { presign, type Signable, type SigningCredential, type SigningOptions, sign } from './sign.ts'
export { parseBasicDate } from './time.ts'
export { checkRegion, checkTime, type VerifyOptions, verify, verifyInTurns } from './verify.ts'
