/** The types of inspector, in the form of an official client module. Generated: see tools/gen-models.py. */
import type { LocalCommand, LocalError } from '../../src/wire/typed.ts'

export declare const AccessDeniedException: LocalError<'AccessDeniedException'>
export type AddAttributesToFindingsRequest = { findingArns: (string)[] | undefined; attributes: Attribute[] | undefined }
export type AddAttributesToFindingsResponse = { failedItems: Record<string, FailedItemDetails> | undefined }
export type AgentAlreadyRunningAssessment = { agentId: string | undefined; assessmentRunArn: string | undefined }
export type AgentFilter = { agentHealths: ('HEALTHY' | 'UNHEALTHY' | 'UNKNOWN')[] | undefined; agentHealthCodes: ('IDLE' | 'RUNNING' | 'SHUTDOWN' | 'UNHEALTHY' | 'THROTTLED' | 'UNKNOWN')[] | undefined }
export type AgentPreview = { hostname?: string | undefined; agentId: string | undefined; autoScalingGroup?: string | undefined; agentHealth?: 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN' | undefined; agentVersion?: string | undefined; operatingSystem?: string | undefined; kernelVersion?: string | undefined; ipv4Address?: string | undefined }
export declare const AgentsAlreadyRunningAssessmentException: LocalError<'AgentsAlreadyRunningAssessmentException'>
export type AssessmentRun = { arn: string | undefined; name: string | undefined; assessmentTemplateArn: string | undefined; state: 'CREATED' | 'START_DATA_COLLECTION_PENDING' | 'START_DATA_COLLECTION_IN_PROGRESS' | 'COLLECTING_DATA' | 'STOP_DATA_COLLECTION_PENDING' | 'DATA_COLLECTED' | 'START_EVALUATING_RULES_PENDING' | 'EVALUATING_RULES' | 'FAILED' | 'ERROR' | 'COMPLETED' | 'COMPLETED_WITH_ERRORS' | 'CANCELED' | undefined; durationInSeconds: number | undefined; rulesPackageArns: (string)[] | undefined; userAttributesForFindings: Attribute[] | undefined; createdAt: Date | undefined; startedAt?: Date | undefined; completedAt?: Date | undefined; stateChangedAt: Date | undefined; dataCollected: boolean | undefined; stateChanges: AssessmentRunStateChange[] | undefined; notifications: AssessmentRunNotification[] | undefined; findingCounts: Record<string, number> | undefined }
export type AssessmentRunAgent = { agentId: string | undefined; assessmentRunArn: string | undefined; agentHealth: 'HEALTHY' | 'UNHEALTHY' | 'UNKNOWN' | undefined; agentHealthCode: 'IDLE' | 'RUNNING' | 'SHUTDOWN' | 'UNHEALTHY' | 'THROTTLED' | 'UNKNOWN' | undefined; agentHealthDetails?: string | undefined; autoScalingGroup?: string | undefined; telemetryMetadata: TelemetryMetadata[] | undefined }
export type AssessmentRunFilter = { namePattern?: string | undefined; states?: ('CREATED' | 'START_DATA_COLLECTION_PENDING' | 'START_DATA_COLLECTION_IN_PROGRESS' | 'COLLECTING_DATA' | 'STOP_DATA_COLLECTION_PENDING' | 'DATA_COLLECTED' | 'START_EVALUATING_RULES_PENDING' | 'EVALUATING_RULES' | 'FAILED' | 'ERROR' | 'COMPLETED' | 'COMPLETED_WITH_ERRORS' | 'CANCELED')[] | undefined; durationRange?: DurationRange | undefined; rulesPackageArns?: (string)[] | undefined; startTimeRange?: TimestampRange | undefined; completionTimeRange?: TimestampRange | undefined; stateChangeTimeRange?: TimestampRange | undefined }
export declare const AssessmentRunInProgressException: LocalError<'AssessmentRunInProgressException'>
export type AssessmentRunNotification = { date: Date | undefined; event: 'ASSESSMENT_RUN_STARTED' | 'ASSESSMENT_RUN_COMPLETED' | 'ASSESSMENT_RUN_STATE_CHANGED' | 'FINDING_REPORTED' | 'OTHER' | undefined; message?: string | undefined; error: boolean | undefined; snsTopicArn?: string | undefined; snsPublishStatusCode?: 'SUCCESS' | 'TOPIC_DOES_NOT_EXIST' | 'ACCESS_DENIED' | 'INTERNAL_ERROR' | undefined }
export type AssessmentRunStateChange = { stateChangedAt: Date | undefined; state: 'CREATED' | 'START_DATA_COLLECTION_PENDING' | 'START_DATA_COLLECTION_IN_PROGRESS' | 'COLLECTING_DATA' | 'STOP_DATA_COLLECTION_PENDING' | 'DATA_COLLECTED' | 'START_EVALUATING_RULES_PENDING' | 'EVALUATING_RULES' | 'FAILED' | 'ERROR' | 'COMPLETED' | 'COMPLETED_WITH_ERRORS' | 'CANCELED' | undefined }
export type AssessmentTarget = { arn: string | undefined; name: string | undefined; resourceGroupArn?: string | undefined; createdAt: Date | undefined; updatedAt: Date | undefined }
export type AssessmentTargetFilter = { assessmentTargetNamePattern?: string | undefined }
export type AssessmentTemplate = { arn: string | undefined; name: string | undefined; assessmentTargetArn: string | undefined; durationInSeconds: number | undefined; rulesPackageArns: (string)[] | undefined; userAttributesForFindings: Attribute[] | undefined; lastAssessmentRunArn?: string | undefined; assessmentRunCount: number | undefined; createdAt: Date | undefined }
export type AssessmentTemplateFilter = { namePattern?: string | undefined; durationRange?: DurationRange | undefined; rulesPackageArns?: (string)[] | undefined }
export type AssetAttributes = { schemaVersion: number | undefined; agentId?: string | undefined; autoScalingGroup?: string | undefined; amiId?: string | undefined; hostname?: string | undefined; ipv4Addresses?: (string)[] | undefined; tags?: Tag[] | undefined; networkInterfaces?: NetworkInterface[] | undefined }
export type Attribute = { key: string | undefined; value?: string | undefined }
export type CreateAssessmentTargetRequest = { assessmentTargetName: string | undefined; resourceGroupArn?: string | undefined }
export type CreateAssessmentTargetResponse = { assessmentTargetArn: string | undefined }
export type CreateAssessmentTemplateRequest = { assessmentTargetArn: string | undefined; assessmentTemplateName: string | undefined; durationInSeconds: number | undefined; rulesPackageArns: (string)[] | undefined; userAttributesForFindings?: Attribute[] | undefined }
export type CreateAssessmentTemplateResponse = { assessmentTemplateArn: string | undefined }
export type CreateExclusionsPreviewRequest = { assessmentTemplateArn: string | undefined }
export type CreateExclusionsPreviewResponse = { previewToken: string | undefined }
export type CreateResourceGroupRequest = { resourceGroupTags: ResourceGroupTag[] | undefined }
export type CreateResourceGroupResponse = { resourceGroupArn: string | undefined }
export type DeleteAssessmentRunRequest = { assessmentRunArn: string | undefined }
export type DeleteAssessmentTargetRequest = { assessmentTargetArn: string | undefined }
export type DeleteAssessmentTemplateRequest = { assessmentTemplateArn: string | undefined }
export type DescribeAssessmentRunsRequest = { assessmentRunArns: (string)[] | undefined }
export type DescribeAssessmentRunsResponse = { assessmentRuns: AssessmentRun[] | undefined; failedItems: Record<string, FailedItemDetails> | undefined }
export type DescribeAssessmentTargetsRequest = { assessmentTargetArns: (string)[] | undefined }
export type DescribeAssessmentTargetsResponse = { assessmentTargets: AssessmentTarget[] | undefined; failedItems: Record<string, FailedItemDetails> | undefined }
export type DescribeAssessmentTemplatesRequest = { assessmentTemplateArns: (string)[] | undefined }
export type DescribeAssessmentTemplatesResponse = { assessmentTemplates: AssessmentTemplate[] | undefined; failedItems: Record<string, FailedItemDetails> | undefined }
export type DescribeCrossAccountAccessRoleResponse = { roleArn: string | undefined; valid: boolean | undefined; registeredAt: Date | undefined }
export type DescribeExclusionsRequest = { exclusionArns: (string)[] | undefined; locale?: 'EN_US' | undefined }
export type DescribeExclusionsResponse = { exclusions: Record<string, Exclusion> | undefined; failedItems: Record<string, FailedItemDetails> | undefined }
export type DescribeFindingsRequest = { findingArns: (string)[] | undefined; locale?: 'EN_US' | undefined }
export type DescribeFindingsResponse = { findings: Finding[] | undefined; failedItems: Record<string, FailedItemDetails> | undefined }
export type DescribeResourceGroupsRequest = { resourceGroupArns: (string)[] | undefined }
export type DescribeResourceGroupsResponse = { resourceGroups: ResourceGroup[] | undefined; failedItems: Record<string, FailedItemDetails> | undefined }
export type DescribeRulesPackagesRequest = { rulesPackageArns: (string)[] | undefined; locale?: 'EN_US' | undefined }
export type DescribeRulesPackagesResponse = { rulesPackages: RulesPackage[] | undefined; failedItems: Record<string, FailedItemDetails> | undefined }
export type DurationRange = { minSeconds?: number | undefined; maxSeconds?: number | undefined }
export type EventSubscription = { event: 'ASSESSMENT_RUN_STARTED' | 'ASSESSMENT_RUN_COMPLETED' | 'ASSESSMENT_RUN_STATE_CHANGED' | 'FINDING_REPORTED' | 'OTHER' | undefined; subscribedAt: Date | undefined }
export type Exclusion = { arn: string | undefined; title: string | undefined; description: string | undefined; recommendation: string | undefined; scopes: Scope[] | undefined; attributes?: Attribute[] | undefined }
export type ExclusionPreview = { title: string | undefined; description: string | undefined; recommendation: string | undefined; scopes: Scope[] | undefined; attributes?: Attribute[] | undefined }
export type FailedItemDetails = { failureCode: 'INVALID_ARN' | 'DUPLICATE_ARN' | 'ITEM_DOES_NOT_EXIST' | 'ACCESS_DENIED' | 'LIMIT_EXCEEDED' | 'INTERNAL_ERROR' | undefined; retryable: boolean | undefined }
export type Finding = { arn: string | undefined; schemaVersion?: number | undefined; service?: string | undefined; serviceAttributes?: InspectorServiceAttributes | undefined; assetType?: 'ec2-instance' | undefined; assetAttributes?: AssetAttributes | undefined; id?: string | undefined; title?: string | undefined; description?: string | undefined; recommendation?: string | undefined; severity?: 'Low' | 'Medium' | 'High' | 'Informational' | 'Undefined' | undefined; numericSeverity?: number | undefined; confidence?: number | undefined; indicatorOfCompromise?: boolean | undefined; attributes: Attribute[] | undefined; userAttributes: Attribute[] | undefined; createdAt: Date | undefined; updatedAt: Date | undefined }
export type FindingFilter = { agentIds?: (string)[] | undefined; autoScalingGroups?: (string)[] | undefined; ruleNames?: (string)[] | undefined; severities?: ('Low' | 'Medium' | 'High' | 'Informational' | 'Undefined')[] | undefined; rulesPackageArns?: (string)[] | undefined; attributes?: Attribute[] | undefined; userAttributes?: Attribute[] | undefined; creationTimeRange?: TimestampRange | undefined }
export type GetAssessmentReportRequest = { assessmentRunArn: string | undefined; reportFileFormat: 'HTML' | 'PDF' | undefined; reportType: 'FINDING' | 'FULL' | undefined }
export type GetAssessmentReportResponse = { status: 'WORK_IN_PROGRESS' | 'FAILED' | 'COMPLETED' | undefined; url?: string | undefined }
export type GetExclusionsPreviewRequest = { assessmentTemplateArn: string | undefined; previewToken: string | undefined; nextToken?: string | undefined; maxResults?: number | undefined; locale?: 'EN_US' | undefined }
export type GetExclusionsPreviewResponse = { previewStatus: 'WORK_IN_PROGRESS' | 'COMPLETED' | undefined; exclusionPreviews?: ExclusionPreview[] | undefined; nextToken?: string | undefined }
export type GetTelemetryMetadataRequest = { assessmentRunArn: string | undefined }
export type GetTelemetryMetadataResponse = { telemetryMetadata: TelemetryMetadata[] | undefined }
export type InspectorServiceAttributes = { schemaVersion: number | undefined; assessmentRunArn?: string | undefined; rulesPackageArn?: string | undefined }
export declare const InternalException: LocalError<'InternalException'>
export declare const InvalidCrossAccountRoleException: LocalError<'InvalidCrossAccountRoleException'>
export declare const InvalidInputException: LocalError<'InvalidInputException'>
export declare const LimitExceededException: LocalError<'LimitExceededException'>
export type ListAssessmentRunAgentsRequest = { assessmentRunArn: string | undefined; filter?: AgentFilter | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type ListAssessmentRunAgentsResponse = { assessmentRunAgents: AssessmentRunAgent[] | undefined; nextToken?: string | undefined }
export type ListAssessmentRunsRequest = { assessmentTemplateArns?: (string)[] | undefined; filter?: AssessmentRunFilter | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type ListAssessmentRunsResponse = { assessmentRunArns: (string)[] | undefined; nextToken?: string | undefined }
export type ListAssessmentTargetsRequest = { filter?: AssessmentTargetFilter | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type ListAssessmentTargetsResponse = { assessmentTargetArns: (string)[] | undefined; nextToken?: string | undefined }
export type ListAssessmentTemplatesRequest = { assessmentTargetArns?: (string)[] | undefined; filter?: AssessmentTemplateFilter | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type ListAssessmentTemplatesResponse = { assessmentTemplateArns: (string)[] | undefined; nextToken?: string | undefined }
export type ListEventSubscriptionsRequest = { resourceArn?: string | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type ListEventSubscriptionsResponse = { subscriptions: Subscription[] | undefined; nextToken?: string | undefined }
export type ListExclusionsRequest = { assessmentRunArn: string | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type ListExclusionsResponse = { exclusionArns: (string)[] | undefined; nextToken?: string | undefined }
export type ListFindingsRequest = { assessmentRunArns?: (string)[] | undefined; filter?: FindingFilter | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type ListFindingsResponse = { findingArns: (string)[] | undefined; nextToken?: string | undefined }
export type ListRulesPackagesRequest = { nextToken?: string | undefined; maxResults?: number | undefined }
export type ListRulesPackagesResponse = { rulesPackageArns: (string)[] | undefined; nextToken?: string | undefined }
export type ListTagsForResourceRequest = { resourceArn: string | undefined }
export type ListTagsForResourceResponse = { tags: Tag[] | undefined }
export type NetworkInterface = { networkInterfaceId?: string | undefined; subnetId?: string | undefined; vpcId?: string | undefined; privateDnsName?: string | undefined; privateIpAddress?: string | undefined; privateIpAddresses?: PrivateIp[] | undefined; publicDnsName?: string | undefined; publicIp?: string | undefined; ipv6Addresses?: (string)[] | undefined; securityGroups?: SecurityGroup[] | undefined }
export declare const NoSuchEntityException: LocalError<'NoSuchEntityException'>
export type PreviewAgentsRequest = { previewAgentsArn: string | undefined; nextToken?: string | undefined; maxResults?: number | undefined }
export type PreviewAgentsResponse = { agentPreviews: AgentPreview[] | undefined; nextToken?: string | undefined }
export declare const PreviewGenerationInProgressException: LocalError<'PreviewGenerationInProgressException'>
export type PrivateIp = { privateDnsName?: string | undefined; privateIpAddress?: string | undefined }
export type RegisterCrossAccountAccessRoleRequest = { roleArn: string | undefined }
export type RemoveAttributesFromFindingsRequest = { findingArns: (string)[] | undefined; attributeKeys: (string)[] | undefined }
export type RemoveAttributesFromFindingsResponse = { failedItems: Record<string, FailedItemDetails> | undefined }
export type ResourceGroup = { arn: string | undefined; tags: ResourceGroupTag[] | undefined; createdAt: Date | undefined }
export type ResourceGroupTag = { key: string | undefined; value?: string | undefined }
export type RulesPackage = { arn: string | undefined; name: string | undefined; version: string | undefined; provider: string | undefined; description?: string | undefined }
export type Scope = { key?: 'INSTANCE_ID' | 'RULES_PACKAGE_ARN' | undefined; value?: string | undefined }
export type SecurityGroup = { groupName?: string | undefined; groupId?: string | undefined }
export declare const ServiceTemporarilyUnavailableException: LocalError<'ServiceTemporarilyUnavailableException'>
export type SetTagsForResourceRequest = { resourceArn: string | undefined; tags?: Tag[] | undefined }
export type StartAssessmentRunRequest = { assessmentTemplateArn: string | undefined; assessmentRunName?: string | undefined }
export type StartAssessmentRunResponse = { assessmentRunArn: string | undefined }
export type StopAssessmentRunRequest = { assessmentRunArn: string | undefined; stopAction?: 'START_EVALUATION' | 'SKIP_EVALUATION' | undefined }
export type SubscribeToEventRequest = { resourceArn: string | undefined; event: 'ASSESSMENT_RUN_STARTED' | 'ASSESSMENT_RUN_COMPLETED' | 'ASSESSMENT_RUN_STATE_CHANGED' | 'FINDING_REPORTED' | 'OTHER' | undefined; topicArn: string | undefined }
export type Subscription = { resourceArn: string | undefined; topicArn: string | undefined; eventSubscriptions: EventSubscription[] | undefined }
export type Tag = { key: string | undefined; value?: string | undefined }
export type TelemetryMetadata = { messageType: string | undefined; count: number | undefined; dataSize?: number | undefined }
export type TimestampRange = { beginDate?: Date | undefined; endDate?: Date | undefined }
export type UnsubscribeFromEventRequest = { resourceArn: string | undefined; event: 'ASSESSMENT_RUN_STARTED' | 'ASSESSMENT_RUN_COMPLETED' | 'ASSESSMENT_RUN_STATE_CHANGED' | 'FINDING_REPORTED' | 'OTHER' | undefined; topicArn: string | undefined }
export declare const UnsupportedFeatureException: LocalError<'UnsupportedFeatureException'>
export type UpdateAssessmentTargetRequest = { assessmentTargetArn: string | undefined; assessmentTargetName: string | undefined; resourceGroupArn?: string | undefined }
export declare const AddAttributesToFindingsCommand: LocalCommand<AddAttributesToFindingsRequest, AddAttributesToFindingsResponse>
export declare const CreateAssessmentTargetCommand: LocalCommand<CreateAssessmentTargetRequest, CreateAssessmentTargetResponse>
export declare const CreateAssessmentTemplateCommand: LocalCommand<CreateAssessmentTemplateRequest, CreateAssessmentTemplateResponse>
export declare const CreateExclusionsPreviewCommand: LocalCommand<CreateExclusionsPreviewRequest, CreateExclusionsPreviewResponse>
export declare const CreateResourceGroupCommand: LocalCommand<CreateResourceGroupRequest, CreateResourceGroupResponse>
export declare const DeleteAssessmentRunCommand: LocalCommand<DeleteAssessmentRunRequest, {}>
export declare const DeleteAssessmentTargetCommand: LocalCommand<DeleteAssessmentTargetRequest, {}>
export declare const DeleteAssessmentTemplateCommand: LocalCommand<DeleteAssessmentTemplateRequest, {}>
export declare const DescribeAssessmentRunsCommand: LocalCommand<DescribeAssessmentRunsRequest, DescribeAssessmentRunsResponse>
export declare const DescribeAssessmentTargetsCommand: LocalCommand<DescribeAssessmentTargetsRequest, DescribeAssessmentTargetsResponse>
export declare const DescribeAssessmentTemplatesCommand: LocalCommand<DescribeAssessmentTemplatesRequest, DescribeAssessmentTemplatesResponse>
export declare const DescribeCrossAccountAccessRoleCommand: LocalCommand<{}, DescribeCrossAccountAccessRoleResponse>
export declare const DescribeExclusionsCommand: LocalCommand<DescribeExclusionsRequest, DescribeExclusionsResponse>
export declare const DescribeFindingsCommand: LocalCommand<DescribeFindingsRequest, DescribeFindingsResponse>
export declare const DescribeResourceGroupsCommand: LocalCommand<DescribeResourceGroupsRequest, DescribeResourceGroupsResponse>
export declare const DescribeRulesPackagesCommand: LocalCommand<DescribeRulesPackagesRequest, DescribeRulesPackagesResponse>
export declare const GetAssessmentReportCommand: LocalCommand<GetAssessmentReportRequest, GetAssessmentReportResponse>
export declare const GetExclusionsPreviewCommand: LocalCommand<GetExclusionsPreviewRequest, GetExclusionsPreviewResponse>
export declare const GetTelemetryMetadataCommand: LocalCommand<GetTelemetryMetadataRequest, GetTelemetryMetadataResponse>
export declare const ListAssessmentRunAgentsCommand: LocalCommand<ListAssessmentRunAgentsRequest, ListAssessmentRunAgentsResponse>
export declare const ListAssessmentRunsCommand: LocalCommand<ListAssessmentRunsRequest, ListAssessmentRunsResponse>
export declare const ListAssessmentTargetsCommand: LocalCommand<ListAssessmentTargetsRequest, ListAssessmentTargetsResponse>
export declare const ListAssessmentTemplatesCommand: LocalCommand<ListAssessmentTemplatesRequest, ListAssessmentTemplatesResponse>
export declare const ListEventSubscriptionsCommand: LocalCommand<ListEventSubscriptionsRequest, ListEventSubscriptionsResponse>
export declare const ListExclusionsCommand: LocalCommand<ListExclusionsRequest, ListExclusionsResponse>
export declare const ListFindingsCommand: LocalCommand<ListFindingsRequest, ListFindingsResponse>
export declare const ListRulesPackagesCommand: LocalCommand<ListRulesPackagesRequest, ListRulesPackagesResponse>
export declare const ListTagsForResourceCommand: LocalCommand<ListTagsForResourceRequest, ListTagsForResourceResponse>
export declare const PreviewAgentsCommand: LocalCommand<PreviewAgentsRequest, PreviewAgentsResponse>
export declare const RegisterCrossAccountAccessRoleCommand: LocalCommand<RegisterCrossAccountAccessRoleRequest, {}>
export declare const RemoveAttributesFromFindingsCommand: LocalCommand<RemoveAttributesFromFindingsRequest, RemoveAttributesFromFindingsResponse>
export declare const SetTagsForResourceCommand: LocalCommand<SetTagsForResourceRequest, {}>
export declare const StartAssessmentRunCommand: LocalCommand<StartAssessmentRunRequest, StartAssessmentRunResponse>
export declare const StopAssessmentRunCommand: LocalCommand<StopAssessmentRunRequest, {}>
export declare const SubscribeToEventCommand: LocalCommand<SubscribeToEventRequest, {}>
export declare const UnsubscribeFromEventCommand: LocalCommand<UnsubscribeFromEventRequest, {}>
export declare const UpdateAssessmentTargetCommand: LocalCommand<UpdateAssessmentTargetRequest, {}>
