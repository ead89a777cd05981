/**
 * Merlon's own endpoint as a resource that a web ACL can protect: the API, and the pages that belong to no other resource. Its ARN has the
 * form of a stage of API Gateway. The first account may protect it.
 */
import { bootstrap } from '../../kernel/ports/bootstrap.ts'
import type { WebAclResourceType } from '../../kernel/ports/web-acl-resources.ts'

export const ENDPOINT_ARN = 'arn:aws:apigateway:us-east-1::/restapis/merlon/stages/api'

export const endpointResource: WebAclResourceType = {
  resourceType: 'API_GATEWAY',
  type: 'AWS::ApiGateway::Stage',
  arn: new RegExp(`^${ENDPOINT_ARN}$`),
  httpSourceName: 'APIGW',
  owner: async (use, reader) => (await use(bootstrap).accounts(reader))[0]?.id,
  find: async () => ({}),
}

/** `MERLON_ENDPOINT_WEB_ACL=off`: for operators whose web ACL keeps them out. */
export const isEndpointFiltered = (environment: NodeJS.ProcessEnv): boolean =>
  environment['MERLON_ENDPOINT_WEB_ACL'] !== 'off'
