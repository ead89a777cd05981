/**
 * The condition keys of Lambda that a request supplies, whether or not what it names is built.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
 */
import type { CreateFunctionRequest } from '@aws-sdk/client-lambda'
import type { AbsentKeys } from '../../kernel/resource/absent-keys.ts'
import type { Conditions } from '../../kernel/resource/conditions.ts'

/** Keys of the authorization reference that no request supplies, and why. */
export const absentKeys: AbsentKeys = {
  'lambda:EventSourceToken': 'Only permissions for Alexa have one, and no skill calls functions here.',
  'lambda:InvokedViaFunctionUrl': 'Function URLs are not built.',
  'lambda:RemovePermission lambda:FunctionUrlAuthType': 'The request names a statement, not what is in it.',
  'lambda:RemovePermission lambda:Principal': 'The request names a statement, not what is in it.',
  'lambda:VpcIds': 'Functions in a VPC are not built, and no VPC exists whose subnets could be looked up.',
}

type Input = Partial<Pick<CreateFunctionRequest, 'CodeSigningConfigArn' | 'Layers' | 'VpcConfig'>>

export const settingKeys = ({ CodeSigningConfigArn, Layers, VpcConfig }: Input): Conditions => ({
  'lambda:CodeSigningConfigArn': CodeSigningConfigArn || undefined,
  'lambda:Layer': nonEmpty(Layers),
  'lambda:SecurityGroupIds': nonEmpty(VpcConfig?.SecurityGroupIds),
  'lambda:SubnetIds': nonEmpty(VpcConfig?.SubnetIds),
})

const nonEmpty = (values: readonly string[] | undefined) => (values && values.length > 0 ? values : undefined)
