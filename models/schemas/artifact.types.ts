/** The types of artifact, in the form of an official client module. Generated: see tools/gen-models.py. */
import type { LocalCommand, LocalError } from '../../src/wire/typed.ts'

export declare const AccessDeniedException: LocalError<'AccessDeniedException'>
export type AccountSettings = { notificationSubscriptionStatus?: 'SUBSCRIBED' | 'NOT_SUBSCRIBED' | undefined }
export declare const ConflictException: LocalError<'ConflictException'>
export type CustomerAgreementSummary = { name?: string | undefined; arn?: string | undefined; id?: string | undefined; agreementArn?: string | undefined; awsAccountId?: string | undefined; organizationArn?: string | undefined; effectiveStart?: Date | undefined; effectiveEnd?: Date | undefined; state?: 'ACTIVE' | 'CUSTOMER_TERMINATED' | 'AWS_TERMINATED' | undefined; description?: string | undefined; acceptanceTerms?: (string)[] | undefined; terminateTerms?: (string)[] | undefined; type?: 'CUSTOM' | 'DEFAULT' | 'MODIFIED' | undefined }
export type GetAccountSettingsRequest = {  }
export type GetAccountSettingsResponse = { accountSettings?: AccountSettings | undefined }
export type GetReportMetadataRequest = { reportId: string | undefined; reportVersion?: number | undefined }
export type GetReportMetadataResponse = { reportDetails?: ReportDetail | undefined }
export type GetReportRequest = { reportId: string | undefined; reportVersion?: number | undefined; termToken: string | undefined }
export type GetReportResponse = { documentPresignedUrl?: string | undefined }
export type GetTermForReportRequest = { reportId: string | undefined; reportVersion?: number | undefined }
export type GetTermForReportResponse = { documentPresignedUrl?: string | undefined; termToken?: string | undefined }
export declare const InternalServerException: LocalError<'InternalServerException'>
export type ListCustomerAgreementsRequest = { maxResults?: number | undefined; nextToken?: string | undefined }
export type ListCustomerAgreementsResponse = { customerAgreements: CustomerAgreementSummary[] | undefined; nextToken?: string | undefined }
export type ListReportVersionsRequest = { reportId: string | undefined; maxResults?: number | undefined; nextToken?: string | undefined }
export type ListReportVersionsResponse = { reports: ReportSummary[] | undefined; nextToken?: string | undefined }
export type ListReportsRequest = { maxResults?: number | undefined; nextToken?: string | undefined }
export type ListReportsResponse = { reports?: ReportSummary[] | undefined; nextToken?: string | undefined }
export type PutAccountSettingsRequest = { notificationSubscriptionStatus?: 'SUBSCRIBED' | 'NOT_SUBSCRIBED' | undefined }
export type PutAccountSettingsResponse = { accountSettings?: AccountSettings | undefined }
export type ReportDetail = { id?: string | undefined; name?: string | undefined; description?: string | undefined; periodStart?: Date | undefined; periodEnd?: Date | undefined; createdAt?: Date | undefined; lastModifiedAt?: Date | undefined; deletedAt?: Date | undefined; state?: 'PUBLISHED' | 'UNPUBLISHED' | undefined; arn?: string | undefined; series?: string | undefined; category?: string | undefined; companyName?: string | undefined; productName?: string | undefined; termArn?: string | undefined; version?: number | undefined; acceptanceType?: 'PASSTHROUGH' | 'EXPLICIT' | undefined; sequenceNumber?: number | undefined; uploadState?: 'PROCESSING' | 'COMPLETE' | 'FAILED' | 'FAULT' | undefined; statusMessage?: string | undefined }
export type ReportSummary = { id?: string | undefined; name?: string | undefined; state?: 'PUBLISHED' | 'UNPUBLISHED' | undefined; arn?: string | undefined; version?: number | undefined; uploadState?: 'PROCESSING' | 'COMPLETE' | 'FAILED' | 'FAULT' | undefined; description?: string | undefined; periodStart?: Date | undefined; periodEnd?: Date | undefined; series?: string | undefined; category?: string | undefined; companyName?: string | undefined; productName?: string | undefined; statusMessage?: string | undefined; acceptanceType?: 'PASSTHROUGH' | 'EXPLICIT' | undefined }
export declare const ResourceNotFoundException: LocalError<'ResourceNotFoundException'>
export declare const ServiceQuotaExceededException: LocalError<'ServiceQuotaExceededException'>
export declare const ThrottlingException: LocalError<'ThrottlingException'>
export declare const ValidationException: LocalError<'ValidationException'>
export type ValidationExceptionField = { name: string | undefined; message: string | undefined }
export declare const GetAccountSettingsCommand: LocalCommand<GetAccountSettingsRequest, GetAccountSettingsResponse>
export declare const GetReportCommand: LocalCommand<GetReportRequest, GetReportResponse>
export declare const GetReportMetadataCommand: LocalCommand<GetReportMetadataRequest, GetReportMetadataResponse>
export declare const GetTermForReportCommand: LocalCommand<GetTermForReportRequest, GetTermForReportResponse>
export declare const ListCustomerAgreementsCommand: LocalCommand<ListCustomerAgreementsRequest, ListCustomerAgreementsResponse>
export declare const ListReportVersionsCommand: LocalCommand<ListReportVersionsRequest, ListReportVersionsResponse>
export declare const ListReportsCommand: LocalCommand<ListReportsRequest, ListReportsResponse>
export declare const PutAccountSettingsCommand: LocalCommand<PutAccountSettingsRequest, PutAccountSettingsResponse>
