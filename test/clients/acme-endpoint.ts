/** An ACME endpoint of a running server, with a proved domain and a binding: what ACME clients are configured with. */
import {
  ACMClient,
  CreateAcmeDomainValidationCommand,
  CreateAcmeEndpointCommand,
  CreateAcmeExternalAccountBindingCommand,
  DescribeAcmeDomainValidationCommand,
  DescribeAcmeEndpointCommand,
  GetAcmeExternalAccountBindingCredentialsCommand,
  RevokeAcmeExternalAccountBindingCommand,
} from '@aws-sdk/client-acm'
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateHostedZoneCommand, Route53Client } from '@aws-sdk/client-route-53'
import { expect, vi } from 'vitest'
import type { Running } from '../process.ts'
import { policy } from './command.ts'

export interface Binding {
  readonly keyId: string
  readonly macKey: string
  revoke(): Promise<unknown>
}

export interface AcmeEndpoint {
  /** The directory of RFC 8555. */
  readonly url: string
  /** With the role `web`, which may request names below `www.` and `api.` of the domain, or another role that is named. */
  binding(roleName?: string): Promise<Binding>
}

interface DnsRecord {
  readonly name: string
  readonly value: string
}

/** `createRecord` writes the CNAME record into the domain's own DNS; without it, a hosted zone of the server gets it. */
export async function acmeEndpoint(
  server: Running,
  domain: string,
  createRecord?: (record: DnsRecord) => void,
): Promise<AcmeEndpoint> {
  const at = { endpoint: server.url, region: 'us-east-1', credentials: server.accounts[0]! }
  const [acm, iam] = [new ACMClient(at), new IAMClient(at)]
  const { AcmeEndpointArn } = await acm.send(
    new CreateAcmeEndpointCommand({
      AuthorizationBehavior: 'PRE_APPROVED',
      CertificateAuthority: { PublicCertificateAuthority: {} },
    }),
  )
  const HostedZoneId = createRecord
    ? undefined
    : (
        await new Route53Client(at).send(new CreateHostedZoneCommand({ Name: domain, CallerReference: domain }))
      ).HostedZone!.Id!.replace('/hostedzone/', '')
  const { AcmeDomainValidationArn } = await acm.send(
    new CreateAcmeDomainValidationCommand({
      AcmeEndpointArn,
      DomainName: domain,
      PrevalidationOptions: {
        DnsPrevalidation: { DomainScope: { Subdomains: 'ENABLED' }, ...(HostedZoneId && { HostedZoneId }) },
      },
    }),
  )
  const describeDomain = new DescribeAcmeDomainValidationCommand({ AcmeDomainValidationArn })
  const details = (await acm.send(describeDomain)).AcmeDomainValidation!.PrevalidationDetails!
  const { Name, Value } = details.DnsPrevalidation!.ResourceRecord!
  createRecord?.({ name: Name!, value: Value! })
  const isValid = async () =>
    expect((await acm.send(describeDomain)).AcmeDomainValidation!.Status, 'the state of the domain').toBe('VALID')
  await vi.waitFor(isValid, { timeout: 60_000, interval: 200 })
  const AssumeRolePolicyDocument = policy({ Principal: { Service: 'acm.amazonaws.com' }, Action: 'sts:AssumeRole' })
  for (const RoleName of ['web', 'none']) await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }))
  const Condition = { 'ForAllValues:StringLike': { 'acm:DomainNames': [`www.${domain}`, `api.${domain}`] } }
  const PolicyDocument = policy({ Action: 'acm:RequestCertificate', Resource: '*', Condition })
  await iam.send(new PutRolePolicyCommand({ RoleName: 'web', PolicyName: 'p', PolicyDocument }))
  const { AcmeEndpoint } = await acm.send(new DescribeAcmeEndpointCommand({ AcmeEndpointArn }))
  return {
    url: AcmeEndpoint!.EndpointUrl!,
    binding: async (roleName = 'web') => {
      const RoleArn = `arn:aws:iam::${server.accounts[0]!.accountId}:role/${roleName}`
      const made = await acm.send(new CreateAcmeExternalAccountBindingCommand({ AcmeEndpointArn, RoleArn }))
      const arn = { AcmeExternalAccountBindingArn: made.ExternalAccountBinding!.AcmeExternalAccountBindingArn }
      const { KeyId, MacKey } = await acm.send(new GetAcmeExternalAccountBindingCredentialsCommand(arn))
      return {
        keyId: KeyId!,
        macKey: MacKey!,
        revoke: () => acm.send(new RevokeAcmeExternalAccountBindingCommand(arn)),
      }
    },
  }
}
