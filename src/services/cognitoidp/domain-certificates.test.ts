/** Custom domains with certificates of ACM. */
import {
  ACMClient,
  DeleteCertificateCommand,
  DescribeCertificateCommand,
  ImportCertificateCommand,
} from '@aws-sdk/client-acm'
import {
  CreateUserPoolDomainCommand,
  DeleteUserPoolDomainCommand,
  DescribeUserPoolDomainCommand,
  UpdateUserPoolDomainCommand,
} from '@aws-sdk/client-cognito-identity-provider'
import { expect, test } from 'vitest'
import { certificates } from '../../kernel/ports/certificates.ts'
import { servedDomains } from '../../kernel/ports/served-domains.ts'
import { webOrigin } from '../../kernel/ports/web-origin.ts'
import { selfSigned } from '../acm/acm.fixture.ts'
import { poolFixture } from './user-pool.fixture.ts'

test('A custom domain takes an issued certificate of the account for its name, which is in use until it is replaced', async () => {
  const it = await poolFixture()
  const { UserPoolId } = it
  const imported = async (name: string, client = it.client(ACMClient)) =>
    (await client.send(new ImportCertificateCommand(await selfSigned([name])))).CertificateArn!
  const usesOf = async (CertificateArn: string) =>
    (await it.client(ACMClient).send(new DescribeCertificateCommand({ CertificateArn }))).Certificate!.InUseBy!
  const Domain = 'login.corp.test'
  const create = (CertificateArn: string) =>
    it.idp.send(new CreateUserPoolDomainCommand({ UserPoolId, Domain, CustomDomainConfig: { CertificateArn } }))

  const [first, second] = [await imported('*.corp.test'), await imported(Domain)]
  const foreign = await imported(Domain, it.client(ACMClient, await it.account()))
  const european = await imported(Domain, it.client(ACMClient, it.root, 'eu-west-1'))
  const absent = first.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000')
  for (const wrong of [foreign, european, absent, await imported('www.corp.test'), 'arn:aws:acm'])
    await expect(create(wrong)).rejects.toMatchObject({ name: 'InvalidParameterException' })

  // Names of AWS, and those at which this installation itself is reached, belong to no pool.
  for (const name of [
    'cognito-idp.us-east-1.amazonaws.com',
    'other.auth.us-east-1.amazoncognito.com',
    ...it
      .use(webOrigin)
      .origins()
      .map((origin) => new URL(origin).hostname),
  ]) {
    const CertificateArn = await imported(name)
    await expect(
      it.idp.send(
        new CreateUserPoolDomainCommand({ UserPoolId, Domain: name, CustomDomainConfig: { CertificateArn } }),
      ),
    ).rejects.toMatchObject({ name: 'InvalidParameterException', message: 'The domain is not available.' })
  }

  await create(first)
  const { DomainDescription } = await it.idp.send(new DescribeUserPoolDomainCommand({ Domain }))
  expect(DomainDescription).toMatchObject({ Status: 'ACTIVE', CustomDomainConfig: { CertificateArn: first } })
  expect(await usesOf(first)).toEqual([`arn:aws:cognito-idp:us-east-1:111122223333:userpool/${UserPoolId}`])
  await expect(
    it.client(ACMClient).send(new DeleteCertificateCommand({ CertificateArn: first })),
  ).rejects.toMatchObject({ name: 'ResourceInUseException' })
  const served = () => it.use(servedDomains).certificateOf(it.store.reader, Domain)
  expect(await served()).toBe(first)
  expect(await it.use(certificates).read(it.store.reader, (await served())!)).toBeDefined()

  const update = (CertificateArn: string) =>
    it.idp.send(new UpdateUserPoolDomainCommand({ UserPoolId, Domain, CustomDomainConfig: { CertificateArn } }))
  await expect(update(foreign)).rejects.toMatchObject({ name: 'InvalidParameterException' })
  await update(second)
  expect([await usesOf(first), (await usesOf(second)).length, await served()]).toEqual([[], 1, second])

  await it.idp.send(new DeleteUserPoolDomainCommand({ UserPoolId, Domain }))
  expect([await usesOf(second), await served()]).toEqual([[], undefined])
  expect(await it.use(servedDomains).certificateOf(it.store.reader, 'prefix.us-east-1')).toBeUndefined()
})
