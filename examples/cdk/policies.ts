/** What a synthesized template says about one role, with references resolved as CloudFormation would. */
import type { Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'

interface Resource {
  readonly Type: string
  readonly Properties: any
}

const account = '123456789012'
const region = 'us-east-1'
const pseudo: Readonly<Record<string, string>> = {
  'AWS::AccountId': account,
  'AWS::Partition': 'aws',
  'AWS::Region': region,
  'AWS::URLSuffix': 'amazonaws.com',
}

/** The ARN that a resource of the template will have; its logical ID takes the place of a generated name. */
function arnOf(id: string, { Type }: Resource): string {
  switch (Type) {
    case 'AWS::S3::Bucket':
      return `arn:aws:s3:::${id.toLowerCase()}`
    case 'AWS::KMS::Key':
      return `arn:aws:kms:${region}:${account}:key/${id}`
    case 'AWS::IAM::Role':
      return `arn:aws:iam::${account}:role/${id}`
    default:
      return `arn:aws:iam::${account}:policy/${id}`
  }
}

export function policiesOf(stack: Stack, role: string) {
  const resources: Readonly<Record<string, Resource>> = Template.fromStack(stack).toJSON().Resources
  const find = (prefix: string) => Object.keys(resources).find((id) => id.startsWith(prefix))!
  const arn = (prefix: string) => arnOf(find(prefix), resources[find(prefix)]!)

  const resolved = (value: any): any => {
    if (Array.isArray(value)) return value.map(resolved)
    if (typeof value !== 'object' || value === null) return value
    if ('Ref' in value) return pseudo[value.Ref] ?? arnOf(value.Ref, resources[value.Ref]!)
    if ('Fn::GetAtt' in value) return arnOf(value['Fn::GetAtt'][0], resources[value['Fn::GetAtt'][0]]!)
    if ('Fn::Join' in value) return resolved(value['Fn::Join'][1]).join(value['Fn::Join'][0])
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, resolved(each)]))
  }

  const id = find(role)
  const { PermissionsBoundary } = resources[id]!.Properties
  return {
    arn,
    principal: arn(role),
    identity: Object.values(resources)
      .filter(({ Type, Properties }) => Type === 'AWS::IAM::Policy' && Properties.Roles.some((at: { Ref: string }) => at.Ref === id))
      .map(({ Properties }) => resolved(Properties.PolicyDocument)),
    boundary: resolved(resources[PermissionsBoundary.Ref]!.Properties.PolicyDocument),
    keyPolicy: resolved(resources[find('Key')]!.Properties.KeyPolicy),
  }
}
