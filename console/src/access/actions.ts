/** Every action of IAM policies, by service: thousands of names, loaded when a page needs them. */
export { actionsByService } from '../../../src/kernel/resource/policy-reference.ts'
