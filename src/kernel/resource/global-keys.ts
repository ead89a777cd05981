/**
 * Global and cross-service condition keys that no request to Merlon carries, with the reason; all others are in `context.ts`.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
import type { AbsentKeys } from './absent-keys.ts'

const NO_ENDPOINTS = 'there are no VPC endpoints'
const NO_MCP = 'there are no MCP servers of AWS'
const NOT_BUILT = 'the service is not built'

export const absentGlobalKeys: AbsentKeys = {
  'aws:CalledViaAWSMCP': NO_MCP,
  'aws:IsMcpServiceAction': NO_MCP,
  'aws:ViaAWSMCPService': NO_MCP,
  'aws:ChatbotSourceArn': 'there are no chat applications',
  'aws:PrincipalOrgMasterAccountId': 'AWS does not document it',
  'aws:SignInSessionArn': 'there are no sign-in sessions',
  'aws:SourceOwner': 'aws:SourceAccount has replaced it',
  'aws:SourceVpc': NO_ENDPOINTS,
  'aws:SourceVpcArn': NO_ENDPOINTS,
  'aws:SourceVpce': NO_ENDPOINTS,
  'aws:VpceAccount': NO_ENDPOINTS,
  'aws:VpceOrgID': NO_ENDPOINTS,
  'aws:VpceOrgPaths': NO_ENDPOINTS,
  'aws:VpcSourceIp': NO_ENDPOINTS,
  'codebuild:BuildArn': NOT_BUILT,
  'codebuild:ProjectArn': NOT_BUILT,
  'glue:CredentialIssuingService': NOT_BUILT,
  'glue:RoleAssumedBy': NOT_BUILT,
  'lambda:SourceFunctionArn': 'sessions of functions do not name their function',
  'ssm:SourceInstanceArn': NOT_BUILT,
}
