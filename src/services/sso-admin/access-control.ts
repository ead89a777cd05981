/** Attributes for access control: which attributes of a person become session tags. */
import type { Call } from '../../kernel/gate/call.ts'
import { conflict, type InstanceRow, instance as instanceType, invalid, notFound, SCOPE, sso } from './resources.ts'
import { theInstance } from './target.ts'

const SOURCE = /^\$\{path:[\p{L}\p{N}.:[\]" =_-]{1,200}\}$/u

interface Configuration {
  readonly AccessControlAttributes: readonly {
    readonly Key: string
    readonly Value: { readonly Source: readonly string[] }
  }[]
}

function save(call: Call, row: InstanceRow, { AccessControlAttributes }: Configuration): object {
  const accessControl = AccessControlAttributes.map(({ Key, Value }) => ({ key: Key, source: Value.Source[0]! }))
  const keys = accessControl.map(({ key }) => key.toLowerCase())
  if (new Set(keys).size !== keys.length) throw invalid('An attribute key is there twice.')
  const wrong = accessControl.find(({ source }) => !SOURCE.test(source))
  if (wrong) throw invalid(`The source ${wrong.source} is not of the form \${path:attribute}.`)
  instanceType.put(call.unit, SCOPE, { ...row, accessControl })
  return {}
}

export const createInstanceAccessControlAttributeConfiguration = sso
  .operation('CreateInstanceAccessControlAttributeConfiguration')
  .on(theInstance())
  .run((call, input, { instance }) => {
    if (instance.accessControl) throw conflict('The instance has a configuration of attributes already.')
    return save(call, instance, input.InstanceAccessControlAttributeConfiguration)
  })

export const updateInstanceAccessControlAttributeConfiguration = sso
  .operation('UpdateInstanceAccessControlAttributeConfiguration')
  .on(theInstance())
  .run((call, input, { instance }) => {
    if (!instance.accessControl) throw none()
    return save(call, instance, input.InstanceAccessControlAttributeConfiguration)
  })

export const describeInstanceAccessControlAttributeConfiguration = sso
  .operation('DescribeInstanceAccessControlAttributeConfiguration')
  .on(theInstance())
  .run((_call, _input, { instance: { accessControl } }) => {
    if (!accessControl) throw none()
    return {
      Status: 'ENABLED' as const,
      InstanceAccessControlAttributeConfiguration: {
        AccessControlAttributes: accessControl.map(({ key, source }) => ({ Key: key, Value: { Source: [source] } })),
      },
    }
  })

export const deleteInstanceAccessControlAttributeConfiguration = sso
  .operation('DeleteInstanceAccessControlAttributeConfiguration')
  .on(theInstance())
  .run((call, _input, { instance }) => {
    const { accessControl, ...rest } = instance
    if (!accessControl) throw none()
    instanceType.put(call.unit, SCOPE, rest)
    return {}
  })

const none = () => notFound('The instance has no configuration of attributes for access control.')
