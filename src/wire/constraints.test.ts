/** Input that violates a constraint is refused with AWS's text. */
import { describe, expect, it } from 'vitest'
import { Fault } from './fault.ts'
import { serviceById } from './services.ts'
import { loadService, validate } from './wire.ts'

/** The fault's code and message, or undefined when the input passes. */
async function told(service: string, operation: string, input: object): Promise<string | undefined> {
  const model = await loadService(serviceById.get(service)!)
  try {
    validate(model, model.operations.get(operation)!, input)
    return undefined
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return `${error.code}: ${error.message}`
  }
}

describe('constraints', () => {
  it('let a valid input pass', async () => {
    expect(await told('iam', 'CreateUser', { UserName: 'bob', Tags: [{ Key: 'team', Value: '' }] })).toBeUndefined()
  })

  it('name the member, the value and the pattern', async () => {
    expect(await told('iam', 'CreateUser', { UserName: 'a b' })).toBe(
      "ValidationError: 1 validation error detected: Value 'a b' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]+",
    )
  })

  it('name a missing member', async () => {
    expect(await told('iam', 'CreateUser', {})).toBe(
      "ValidationError: 1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null",
    )
  })

  it('count list items from one and list every violation', async () => {
    const message = await told('iam', 'CreateUser', {
      UserName: 'a',
      Tags: [
        { Key: 'k', Value: 'v' },
        { Key: '', Value: 'v' },
      ],
    })

    expect(message).toContain(
      "2 validation errors detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value ''",
    )
  })

  it('hold both sides of a length in code points', async () => {
    const name = (length: number) => ({ UserName: 'x'.repeat(length) })

    expect(await told('iam', 'CreateUser', name(64))).toBeUndefined()
    expect(await told('iam', 'CreateUser', name(65))).toContain('Member must have length less than or equal to 64')
    expect(await told('kms', 'CreateKey', { Description: '😀'.repeat(8192) })).toBeUndefined()
    expect(await told('kms', 'CreateKey', { Description: '😀'.repeat(8193) })).toContain('less than or equal to 8192')
  })

  it('hold both sides of a number', async () => {
    const seconds = (DurationSeconds: number) => ({
      RoleArn: 'arn:aws:iam::123456789012:role/r',
      RoleSessionName: 'session',
      DurationSeconds,
    })

    expect(await told('sts', 'AssumeRole', seconds(900))).toBeUndefined()
    expect(await told('sts', 'AssumeRole', seconds(899))).toContain(
      "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    )
    expect(await told('sts', 'AssumeRole', seconds(900.5))).toContain('Member must be an integer')
    expect(await told('sts', 'AssumeRole', seconds(Number.POSITIVE_INFINITY))).toContain('Member must be an integer')
  })

  it('know enumerations', async () => {
    expect(await told('kms', 'CreateKey', { KeySpec: 'RSA_2048' })).toBeUndefined()
    expect(await told('kms', 'CreateKey', { KeySpec: 'ROT13' })).toMatch(
      /^ValidationException: .*Value 'ROT13' at 'keySpec' .*enum value set: \[.*RSA_2048/,
    )
  })

  it("use the service's own code", async () => {
    expect(await told('cognito-idp', 'SignUp', { ClientId: 'a b', Username: 'u', Password: 'p' })).toMatch(
      /^InvalidParameterException: /,
    )
    expect(await told('guardduty', 'ListDetectors', { MaxResults: 51 })).toMatch(/^BadRequestException: /)
  })

  it('never repeat a secret', async () => {
    const password = `${'hunter2'.repeat(40)}`
    const message = await told('cognito-idp', 'SignUp', { ClientId: 'c', Username: 'u', Password: password })

    expect(message).toContain("Value at 'password' failed to satisfy constraint")
    expect(message).not.toContain('hunter2')
  })

  it('answer a long value shortly', async () => {
    expect((await told('iam', 'CreateUser', { UserName: 'x '.repeat(1e6) }))!.length).toBeLessThan(2000)
  })

  it('list ten violations and no more', async () => {
    const Tags = Array.from({ length: 50 }, () => ({ Key: '', Value: 'v' }))

    expect(await told('iam', 'CreateUser', { UserName: 'a', Tags })).toMatch(/: 1[01] validation errors detected/)
  })
})
