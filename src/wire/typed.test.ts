/** Types of services without an official client fit where a client module's do. The type checker is the test. */
import { expectTypeOf, it } from 'vitest'
import type * as Hsm from '../../models/schemas/cloudhsmv2.types.ts'
import type { FaultName, Input, OpName, Output } from './typed.ts'

it('a generated module has operations, inputs, outputs and errors', () => {
  expectTypeOf<'DescribeClusters'>().toExtend<OpName<typeof Hsm>>()
  expectTypeOf<'Nothing'>().not.toExtend<OpName<typeof Hsm>>()
  expectTypeOf<Input<typeof Hsm, 'CreateCluster'>['HsmType']>().toEqualTypeOf<string>()
  expectTypeOf<Output<typeof Hsm, 'DescribeClusters'>['NextToken']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<'CloudHsmResourceNotFoundException'>().toExtend<FaultName<typeof Hsm>>()
  expectTypeOf<'Nothing'>().not.toExtend<FaultName<typeof Hsm>>()
})
