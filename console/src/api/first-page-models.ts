/**
 * The models of the operations that the first page calls, and of no others: whole models of these services are half as much
 * again as the page. The build leaves out what these do not reach (`first-page-models` in `vite.config.ts`).
 */
import { LookupEvents$ } from '@aws-sdk/client-cloudtrail'
import { GetAccountSummary$, ListAccessKeys$, ListUsers$ } from '@aws-sdk/client-iam'
import { DescribeKey$, ListKeys$ } from '@aws-sdk/client-kms'
import { ListSecrets$ } from '@aws-sdk/client-secrets-manager'

export const firstPage: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  cloudtrail: { LookupEvents$ },
  iam: { GetAccountSummary$, ListAccessKeys$, ListUsers$ },
  kms: { DescribeKey$, ListKeys$ },
  secretsmanager: { ListSecrets$ },
}
