/** The faults of AWS WAF, in its own words. */
import type * as WAFV2 from '@aws-sdk/client-wafv2'
import type { ParameterExceptionField } from '@aws-sdk/client-wafv2'
import { defineService } from '../../kernel/service/define-service.ts'
import { Fault } from '../../wire/fault.ts'

export const wafv2 = defineService<typeof WAFV2>('wafv2')

const PREFIX = 'AWS WAF couldn’t perform the operation because'

/** A value that is not valid. `field` says which kind of value, `parameter` is what the caller wrote. */
export const invalidParameter = (field: ParameterExceptionField, parameter: string, reason: string): Fault =>
  wafv2.fail('WAFInvalidParameterException', `Error reason: ${reason}, field: ${field}, parameter: ${parameter}`, {
    Field: field,
    Parameter: parameter || ' ',
    Reason: reason,
  })

export const nonexistent = (): Fault =>
  wafv2.fail('WAFNonexistentItemException', `${PREFIX} your resource doesn’t exist.`)

export const duplicate = (): Fault =>
  wafv2.fail('WAFDuplicateItemException', `${PREFIX} some resource in your request is a duplicate of an existing one.`)

export const associated = (): Fault =>
  wafv2.fail(
    'WAFAssociatedItemException',
    `${PREFIX} your resource is being used by another resource or it’s associated with another resource.`,
  )

export const changedMeanwhile = (): Fault =>
  wafv2.fail(
    'WAFOptimisticLockException',
    'AWS WAF couldn’t save your changes because someone changed the resource after you started to edit it. Reapply your changes.',
  )

/** `source`: what was counted, as `WAFLimitsExceededException` names it. */
export const limitExceeded = (source: string): Fault =>
  wafv2.fail('WAFLimitsExceededException', `${PREFIX} you exceeded your resource limit.`, { SourceType: source })

export const invalidOperation = (reason: string): Fault => wafv2.fail('WAFInvalidOperationException', reason)

export const invalidTags = (reason: string): Fault => wafv2.fail('WAFTagOperationException', reason)

/** A list's marker that this list did not return. */
export const invalidMarker = (marker: string): Fault =>
  invalidParameter('RESOURCE_ARN', marker, 'The marker is not one of this list.')

/** What is not built is refused by name: a rule that is stored is evaluated. */
export const notImplemented = (what: string): Fault =>
  new Fault('NotImplemented', `Merlon does not implement ${what}.`, { status: 400 })
