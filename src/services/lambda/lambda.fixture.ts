/** For tests of functions: an account with a role that Lambda may assume, and a built-in function that runs as it. */
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import { CreateFunctionCommand, InvokeCommand, type InvokeCommandInput, LambdaClient } from '@aws-sdk/client-lambda'
import { allowing, type CloudOptions, cloud } from '../../../test/cloud.ts'

export const TRUST = allowing({ Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' })

export async function withRole(options: CloudOptions = {}) {
  const opened = await cloud(options)
  const iam = opened.client(IAMClient)
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: 'runner', AssumeRolePolicyDocument: TRUST }))
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: 'runner',
      PolicyName: 'rotation',
      PolicyDocument: allowing({ Action: 'secretsmanager:*', Resource: '*' }),
    }),
  )
  const lambda = opened.client(LambdaClient)
  const role = Role!.Arn!
  return {
    ...opened,
    iam,
    lambda,
    role,
    /** A built-in function that returns its input. */
    echo: (FunctionName = 'echo', more: object = {}) =>
      lambda.send(
        new CreateFunctionCommand({
          FunctionName,
          Role: role,
          PackageType: 'Image',
          Code: { ImageUri: 'merlon/Echo' },
          ...more,
        }),
      ),
  }
}

/** What Invoke answered, with its payload read. */
export async function invoked(client: LambdaClient, FunctionName: string, more: Partial<InvokeCommandInput> = {}) {
  const { Payload, LogResult, ...rest } = await client.send(new InvokeCommand({ FunctionName, ...more }))
  const text = Buffer.from(Payload ?? []).toString('utf8')
  return {
    ...rest,
    payload: text === '' ? undefined : JSON.parse(text),
    log: Buffer.from(LogResult ?? '', 'base64').toString('utf8'),
  }
}
