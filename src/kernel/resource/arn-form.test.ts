/** ARN forms: what they print, parse and refuse. */
import { describe, expect, test } from 'vitest'
import reference from '../../../models/iam-reference.json' with { type: 'json' }
import { ArnForm } from './arn-form.ts'

const here = { partition: 'aws', region: 'eu-west-1', account: '111122223333' }

/** A form whose variables the compiler does not know. */
const formOf = (template: string) => new ArnForm(template as 'arn:${Partition}:any:::any/${Any}')

describe('An ARN form prints what it parses', () => {
  test.each([
    ['arn:${Partition}:s3:::${BucketName}', 'arn:aws:s3:::logs'],
    [
      'arn:${Partition}:sso:::permissionSet/${InstanceId}/${PermissionSetId}',
      'arn:aws:sso:::permissionSet/ssoins-1/ps-2',
    ],
    ['arn:${Partition}:sso::${AccountId}:application/${InstanceId}/${Id}', 'arn:aws:sso::111122223333:application/a/b'],
    [
      'arn:${Partition}:sso::aws:applicationProvider/${ApplicationProviderId}',
      'arn:aws:sso::aws:applicationProvider/x',
    ],
    ['arn:${Partition}:shield::${Account}:protection/${Id}', 'arn:aws:shield::111122223333:protection/1'],
    [
      'arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/webacl/${Name}/${Id}',
      'arn:aws:wafv2:eu-west-1:111122223333:global/webacl/a/1',
    ],
    [
      'arn:${Partition}:guardduty:${Region}:${Account}:detector/${DetectorId}/filter/${FilterName}',
      'arn:aws:guardduty:eu-west-1:111122223333:detector/d/filter/f',
    ],
    [
      'arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}',
      'arn:aws:lambda:eu-west-1:111122223333:function:f',
    ],
    [
      'arn:${Partition}:iam::aws:role-template/${Principal}/${Name}:${Version}',
      'arn:aws:iam::aws:role-template/s.amazonaws.com/n:1',
    ],
    [
      'arn:${Partition}:organizations::${Account}:account/o-${OrganizationId}/${AccountId}',
      'arn:aws:organizations::111122223333:account/o-abc/444455556666',
    ],
  ])('%s', (template, arn) => {
    const form = formOf(template)

    expect(form.print(here, form.parse(arn)!.variables)).toBe(arn)
  })

  test('of every resource type in the reference that names its Region and account in the usual way', () => {
    const templates = Object.values(
      reference.services as unknown as Record<string, { resources: Record<string, { arn: string }> }>,
    )
      .flatMap(({ resources }) => Object.values(resources).map(({ arn }) => arn))
      .filter((arn) => /^arn:\$\{Partition\}:[a-z0-9-]+:(\$\{Region\})?:(\$\{Account\}|aws)?:[^*]+$/.test(arn))
    expect(templates.length).toBeGreaterThan(150)

    for (const template of templates) {
      const form = formOf(template)
      const variables = Object.fromEntries(form.names.map((name) => [name, 'x1'])) as { Any: string }
      const arn = form.print(here, variables)
      expect(form.parse(arn), template).toMatchObject({ variables })
    }
  })
})

describe('An ARN form parses', () => {
  const form = new ArnForm('arn:${Partition}:acm:${Region}:${Account}:certificate/${CertificateId}')

  test('the ARN of another account and Region, and says which', () => {
    expect(form.parse('arn:aws:acm:us-east-1:444455556666:certificate/c')).toEqual({
      partition: 'aws',
      region: 'us-east-1',
      account: '444455556666',
      variables: { CertificateId: 'c' },
    })
  })

  test('a variable with slashes and colons only where its pattern allows them', () => {
    const template = 'arn:${Partition}:iam::${Account}:user/${UserNameWithPath}'
    const arn = 'arn:aws:iam::111122223333:user/people/ana'

    expect(new ArnForm(template).parse(arn)).toBeUndefined()
    expect(new ArnForm(template, { UserNameWithPath: '(\\w+/)*\\w+' }).parse(arn)?.variables).toEqual({
      UserNameWithPath: 'people/ana',
    })
  })

  test.each([
    ['another service', 'arn:aws:iam:eu-west-1:111122223333:certificate/c'],
    ['another type', 'arn:aws:acm:eu-west-1:111122223333:account/c'],
    ['no account', 'arn:aws:acm:eu-west-1::certificate/c'],
    ['an account that is none', 'arn:aws:acm:eu-west-1:11112222333x:certificate/c'],
    ['no Region', 'arn:aws:acm::111122223333:certificate/c'],
    ['a Region that is none', 'arn:aws:acm:eu west:111122223333:certificate/c'],
    ['a partition that is none', 'arn:aws cn:acm:eu-west-1:111122223333:certificate/c'],
    ['more behind it', 'arn:aws:acm:eu-west-1:111122223333:certificate/c/d'],
    [
      'an ARN inside',
      'arn:aws:acm:eu-west-1:111122223333:certificate/arn:aws:acm:eu-west-1:111122223333:certificate/c',
    ],
    ['nothing behind it', 'arn:aws:acm:eu-west-1:111122223333:certificate/'],
    ['a line break behind it', 'arn:aws:acm:eu-west-1:111122223333:certificate/c\n/'],
    ['too many characters', `arn:aws:acm:eu-west-1:111122223333:certificate/${'c'.repeat(2_048)}`],
    ['not an ARN at all', 'c'],
  ])('no ARN with %s', (_what, arn) => {
    expect(form.parse(arn)).toBeUndefined()
  })

  test('no ARN with a Region or account where the form has none', () => {
    const instance = new ArnForm('arn:${Partition}:sso:::instance/${InstanceId}')

    expect(instance.parse('arn:aws:sso:::instance/a')).toMatchObject({ region: undefined, account: undefined })
    expect(instance.parse('arn:aws:sso::111122223333:instance/a')).toBeUndefined()
    expect(instance.parse('arn:aws:sso:eu-west-1::instance/a')).toBeUndefined()
  })
})

describe('An ARN form does not print', () => {
  const form = new ArnForm('arn:${Partition}:iam::${Account}:saml-provider/${SamlProviderName}')

  test('a value that is an ARN, or has parts of one', () => {
    for (const SamlProviderName of ['arn:aws:iam::444455556666:saml-provider/x', 'a/b', 'a:b', '']) {
      expect(() => form.print(here, { SamlProviderName })).toThrow('is not a SamlProviderName')
    }
  })

  test('a place that is none', () => {
    expect(() => form.print({ ...here, account: '1:2' }, { SamlProviderName: 'x' })).toThrow('account of an ARN')
    expect(() => form.print({ ...here, account: '' }, { SamlProviderName: 'x' })).toThrow('account of an ARN')
  })

  test('without one of its variables: that does not compile', () => {
    // @ts-expect-error SamlProviderName is missing
    expect(() => form.print(here, {})).toThrow()
    // @ts-expect-error the form has no variable of that name
    expect(() => new ArnForm('arn:${Partition}:s3:::${BucketName}', { Bucket: '.+' })).not.toThrow()
  })
})

test('A text that is not an ARN form is refused', () => {
  for (const template of [
    'certificate/${Id}',
    'arn:aws:acm:${Region}:${Account}:certificate/${Id}',
    'arn:${Partition}:acm::',
  ]) {
    expect(() => new ArnForm(template)).toThrow('is not an ARN form')
  }
})

test('A pattern of ARNs has a star for each variable that is left out', () => {
  const form = new ArnForm('arn:${Partition}:wafv2:${Region}:${Account}:${Scope}/webacl/${Name}/${Id}')

  expect(form.printPattern(here)).toBe('arn:aws:wafv2:eu-west-1:111122223333:*/webacl/*/*')
  expect(form.printPattern(here, { Scope: 'global' })).toBe('arn:aws:wafv2:eu-west-1:111122223333:global/webacl/*/*')
})
