/**
 * The operations that EC2 serves here, with the types of their input and output. A list by name, because the compiler would
 * need minutes to look all 765 commands of the client up by patterns of their names.
 */
import type * as EC2 from '@aws-sdk/client-ec2'

interface Io<I, O> {
  readonly input: I
  readonly output: O
}

export interface Operations {
  AcceptVpcPeeringConnection: Io<
    EC2.AcceptVpcPeeringConnectionCommandInput,
    EC2.AcceptVpcPeeringConnectionCommandOutput
  >
  AllocateAddress: Io<EC2.AllocateAddressCommandInput, EC2.AllocateAddressCommandOutput>
  AssignIpv6Addresses: Io<EC2.AssignIpv6AddressesCommandInput, EC2.AssignIpv6AddressesCommandOutput>
  AssignPrivateIpAddresses: Io<EC2.AssignPrivateIpAddressesCommandInput, EC2.AssignPrivateIpAddressesCommandOutput>
  AssociateAddress: Io<EC2.AssociateAddressCommandInput, EC2.AssociateAddressCommandOutput>
  AssociateDhcpOptions: Io<EC2.AssociateDhcpOptionsCommandInput, EC2.AssociateDhcpOptionsCommandOutput>
  AssociateRouteTable: Io<EC2.AssociateRouteTableCommandInput, EC2.AssociateRouteTableCommandOutput>
  AssociateSecurityGroupVpc: Io<EC2.AssociateSecurityGroupVpcCommandInput, EC2.AssociateSecurityGroupVpcCommandOutput>
  AssociateSubnetCidrBlock: Io<EC2.AssociateSubnetCidrBlockCommandInput, EC2.AssociateSubnetCidrBlockCommandOutput>
  AssociateVpcCidrBlock: Io<EC2.AssociateVpcCidrBlockCommandInput, EC2.AssociateVpcCidrBlockCommandOutput>
  AttachInternetGateway: Io<EC2.AttachInternetGatewayCommandInput, EC2.AttachInternetGatewayCommandOutput>
  AttachNetworkInterface: Io<EC2.AttachNetworkInterfaceCommandInput, EC2.AttachNetworkInterfaceCommandOutput>
  AttachVolume: Io<EC2.AttachVolumeCommandInput, EC2.AttachVolumeCommandOutput>
  AttachVpnGateway: Io<EC2.AttachVpnGatewayCommandInput, EC2.AttachVpnGatewayCommandOutput>
  AuthorizeSecurityGroupEgress: Io<
    EC2.AuthorizeSecurityGroupEgressCommandInput,
    EC2.AuthorizeSecurityGroupEgressCommandOutput
  >
  AuthorizeSecurityGroupIngress: Io<
    EC2.AuthorizeSecurityGroupIngressCommandInput,
    EC2.AuthorizeSecurityGroupIngressCommandOutput
  >
  CreateCustomerGateway: Io<EC2.CreateCustomerGatewayCommandInput, EC2.CreateCustomerGatewayCommandOutput>
  CreateDefaultSubnet: Io<EC2.CreateDefaultSubnetCommandInput, EC2.CreateDefaultSubnetCommandOutput>
  CreateDefaultVpc: Io<EC2.CreateDefaultVpcCommandInput, EC2.CreateDefaultVpcCommandOutput>
  CreateDhcpOptions: Io<EC2.CreateDhcpOptionsCommandInput, EC2.CreateDhcpOptionsCommandOutput>
  CreateEgressOnlyInternetGateway: Io<
    EC2.CreateEgressOnlyInternetGatewayCommandInput,
    EC2.CreateEgressOnlyInternetGatewayCommandOutput
  >
  CreateFlowLogs: Io<EC2.CreateFlowLogsCommandInput, EC2.CreateFlowLogsCommandOutput>
  CreateInstanceConnectEndpoint: Io<
    EC2.CreateInstanceConnectEndpointCommandInput,
    EC2.CreateInstanceConnectEndpointCommandOutput
  >
  CreateInternetGateway: Io<EC2.CreateInternetGatewayCommandInput, EC2.CreateInternetGatewayCommandOutput>
  CreateKeyPair: Io<EC2.CreateKeyPairCommandInput, EC2.CreateKeyPairCommandOutput>
  CreateManagedPrefixList: Io<EC2.CreateManagedPrefixListCommandInput, EC2.CreateManagedPrefixListCommandOutput>
  CreateNatGateway: Io<EC2.CreateNatGatewayCommandInput, EC2.CreateNatGatewayCommandOutput>
  CreateNetworkAcl: Io<EC2.CreateNetworkAclCommandInput, EC2.CreateNetworkAclCommandOutput>
  CreateNetworkAclEntry: Io<EC2.CreateNetworkAclEntryCommandInput, EC2.CreateNetworkAclEntryCommandOutput>
  CreateNetworkInsightsAccessScope: Io<
    EC2.CreateNetworkInsightsAccessScopeCommandInput,
    EC2.CreateNetworkInsightsAccessScopeCommandOutput
  >
  CreateNetworkInsightsPath: Io<EC2.CreateNetworkInsightsPathCommandInput, EC2.CreateNetworkInsightsPathCommandOutput>
  CreateNetworkInterface: Io<EC2.CreateNetworkInterfaceCommandInput, EC2.CreateNetworkInterfaceCommandOutput>
  CreateRoute: Io<EC2.CreateRouteCommandInput, EC2.CreateRouteCommandOutput>
  CreateRouteTable: Io<EC2.CreateRouteTableCommandInput, EC2.CreateRouteTableCommandOutput>
  CreateSecurityGroup: Io<EC2.CreateSecurityGroupCommandInput, EC2.CreateSecurityGroupCommandOutput>
  CreateSnapshot: Io<EC2.CreateSnapshotCommandInput, EC2.CreateSnapshotCommandOutput>
  CreateSubnet: Io<EC2.CreateSubnetCommandInput, EC2.CreateSubnetCommandOutput>
  CreateTags: Io<EC2.CreateTagsCommandInput, EC2.CreateTagsCommandOutput>
  CreateVolume: Io<EC2.CreateVolumeCommandInput, EC2.CreateVolumeCommandOutput>
  CreateVpc: Io<EC2.CreateVpcCommandInput, EC2.CreateVpcCommandOutput>
  CreateVpcBlockPublicAccessExclusion: Io<
    EC2.CreateVpcBlockPublicAccessExclusionCommandInput,
    EC2.CreateVpcBlockPublicAccessExclusionCommandOutput
  >
  CreateVpcEndpoint: Io<EC2.CreateVpcEndpointCommandInput, EC2.CreateVpcEndpointCommandOutput>
  CreateVpcPeeringConnection: Io<
    EC2.CreateVpcPeeringConnectionCommandInput,
    EC2.CreateVpcPeeringConnectionCommandOutput
  >
  CreateVpnGateway: Io<EC2.CreateVpnGatewayCommandInput, EC2.CreateVpnGatewayCommandOutput>
  DeleteCustomerGateway: Io<EC2.DeleteCustomerGatewayCommandInput, EC2.DeleteCustomerGatewayCommandOutput>
  DeleteDhcpOptions: Io<EC2.DeleteDhcpOptionsCommandInput, EC2.DeleteDhcpOptionsCommandOutput>
  DeleteEgressOnlyInternetGateway: Io<
    EC2.DeleteEgressOnlyInternetGatewayCommandInput,
    EC2.DeleteEgressOnlyInternetGatewayCommandOutput
  >
  DeleteFlowLogs: Io<EC2.DeleteFlowLogsCommandInput, EC2.DeleteFlowLogsCommandOutput>
  DeleteInstanceConnectEndpoint: Io<
    EC2.DeleteInstanceConnectEndpointCommandInput,
    EC2.DeleteInstanceConnectEndpointCommandOutput
  >
  DeleteInternetGateway: Io<EC2.DeleteInternetGatewayCommandInput, EC2.DeleteInternetGatewayCommandOutput>
  DeleteKeyPair: Io<EC2.DeleteKeyPairCommandInput, EC2.DeleteKeyPairCommandOutput>
  DeleteManagedPrefixList: Io<EC2.DeleteManagedPrefixListCommandInput, EC2.DeleteManagedPrefixListCommandOutput>
  DeleteNatGateway: Io<EC2.DeleteNatGatewayCommandInput, EC2.DeleteNatGatewayCommandOutput>
  DeleteNetworkAcl: Io<EC2.DeleteNetworkAclCommandInput, EC2.DeleteNetworkAclCommandOutput>
  DeleteNetworkAclEntry: Io<EC2.DeleteNetworkAclEntryCommandInput, EC2.DeleteNetworkAclEntryCommandOutput>
  DeleteNetworkInsightsAccessScope: Io<
    EC2.DeleteNetworkInsightsAccessScopeCommandInput,
    EC2.DeleteNetworkInsightsAccessScopeCommandOutput
  >
  DeleteNetworkInsightsAccessScopeAnalysis: Io<
    EC2.DeleteNetworkInsightsAccessScopeAnalysisCommandInput,
    EC2.DeleteNetworkInsightsAccessScopeAnalysisCommandOutput
  >
  DeleteNetworkInsightsAnalysis: Io<
    EC2.DeleteNetworkInsightsAnalysisCommandInput,
    EC2.DeleteNetworkInsightsAnalysisCommandOutput
  >
  DeleteNetworkInsightsPath: Io<EC2.DeleteNetworkInsightsPathCommandInput, EC2.DeleteNetworkInsightsPathCommandOutput>
  DeleteNetworkInterface: Io<EC2.DeleteNetworkInterfaceCommandInput, EC2.DeleteNetworkInterfaceCommandOutput>
  DeleteRoute: Io<EC2.DeleteRouteCommandInput, EC2.DeleteRouteCommandOutput>
  DeleteRouteTable: Io<EC2.DeleteRouteTableCommandInput, EC2.DeleteRouteTableCommandOutput>
  DeleteSecurityGroup: Io<EC2.DeleteSecurityGroupCommandInput, EC2.DeleteSecurityGroupCommandOutput>
  DeleteSnapshot: Io<EC2.DeleteSnapshotCommandInput, EC2.DeleteSnapshotCommandOutput>
  DeleteSubnet: Io<EC2.DeleteSubnetCommandInput, EC2.DeleteSubnetCommandOutput>
  DeleteTags: Io<EC2.DeleteTagsCommandInput, EC2.DeleteTagsCommandOutput>
  DeleteVolume: Io<EC2.DeleteVolumeCommandInput, EC2.DeleteVolumeCommandOutput>
  DeleteVpc: Io<EC2.DeleteVpcCommandInput, EC2.DeleteVpcCommandOutput>
  DeleteVpcBlockPublicAccessExclusion: Io<
    EC2.DeleteVpcBlockPublicAccessExclusionCommandInput,
    EC2.DeleteVpcBlockPublicAccessExclusionCommandOutput
  >
  DeleteVpcEndpoints: Io<EC2.DeleteVpcEndpointsCommandInput, EC2.DeleteVpcEndpointsCommandOutput>
  DeleteVpcPeeringConnection: Io<
    EC2.DeleteVpcPeeringConnectionCommandInput,
    EC2.DeleteVpcPeeringConnectionCommandOutput
  >
  DeleteVpnGateway: Io<EC2.DeleteVpnGatewayCommandInput, EC2.DeleteVpnGatewayCommandOutput>
  DeregisterImage: Io<EC2.DeregisterImageCommandInput, EC2.DeregisterImageCommandOutput>
  DescribeAccountAttributes: Io<EC2.DescribeAccountAttributesCommandInput, EC2.DescribeAccountAttributesCommandOutput>
  DescribeAddresses: Io<EC2.DescribeAddressesCommandInput, EC2.DescribeAddressesCommandOutput>
  DescribeAddressesAttribute: Io<
    EC2.DescribeAddressesAttributeCommandInput,
    EC2.DescribeAddressesAttributeCommandOutput
  >
  DescribeAvailabilityZones: Io<EC2.DescribeAvailabilityZonesCommandInput, EC2.DescribeAvailabilityZonesCommandOutput>
  DescribeCustomerGateways: Io<EC2.DescribeCustomerGatewaysCommandInput, EC2.DescribeCustomerGatewaysCommandOutput>
  DescribeDhcpOptions: Io<EC2.DescribeDhcpOptionsCommandInput, EC2.DescribeDhcpOptionsCommandOutput>
  DescribeEgressOnlyInternetGateways: Io<
    EC2.DescribeEgressOnlyInternetGatewaysCommandInput,
    EC2.DescribeEgressOnlyInternetGatewaysCommandOutput
  >
  DescribeFlowLogs: Io<EC2.DescribeFlowLogsCommandInput, EC2.DescribeFlowLogsCommandOutput>
  DescribeIamInstanceProfileAssociations: Io<
    EC2.DescribeIamInstanceProfileAssociationsCommandInput,
    EC2.DescribeIamInstanceProfileAssociationsCommandOutput
  >
  DescribeImages: Io<EC2.DescribeImagesCommandInput, EC2.DescribeImagesCommandOutput>
  DescribeInstanceAttribute: Io<EC2.DescribeInstanceAttributeCommandInput, EC2.DescribeInstanceAttributeCommandOutput>
  DescribeInstanceConnectEndpoints: Io<
    EC2.DescribeInstanceConnectEndpointsCommandInput,
    EC2.DescribeInstanceConnectEndpointsCommandOutput
  >
  DescribeInstanceCreditSpecifications: Io<
    EC2.DescribeInstanceCreditSpecificationsCommandInput,
    EC2.DescribeInstanceCreditSpecificationsCommandOutput
  >
  DescribeInstanceStatus: Io<EC2.DescribeInstanceStatusCommandInput, EC2.DescribeInstanceStatusCommandOutput>
  DescribeInstanceTypeOfferings: Io<
    EC2.DescribeInstanceTypeOfferingsCommandInput,
    EC2.DescribeInstanceTypeOfferingsCommandOutput
  >
  DescribeInstanceTypes: Io<EC2.DescribeInstanceTypesCommandInput, EC2.DescribeInstanceTypesCommandOutput>
  DescribeInstances: Io<EC2.DescribeInstancesCommandInput, EC2.DescribeInstancesCommandOutput>
  DescribeInternetGateways: Io<EC2.DescribeInternetGatewaysCommandInput, EC2.DescribeInternetGatewaysCommandOutput>
  DescribeKeyPairs: Io<EC2.DescribeKeyPairsCommandInput, EC2.DescribeKeyPairsCommandOutput>
  DescribeManagedPrefixLists: Io<
    EC2.DescribeManagedPrefixListsCommandInput,
    EC2.DescribeManagedPrefixListsCommandOutput
  >
  DescribeNatGateways: Io<EC2.DescribeNatGatewaysCommandInput, EC2.DescribeNatGatewaysCommandOutput>
  DescribeNetworkAcls: Io<EC2.DescribeNetworkAclsCommandInput, EC2.DescribeNetworkAclsCommandOutput>
  DescribeNetworkInsightsAccessScopeAnalyses: Io<
    EC2.DescribeNetworkInsightsAccessScopeAnalysesCommandInput,
    EC2.DescribeNetworkInsightsAccessScopeAnalysesCommandOutput
  >
  DescribeNetworkInsightsAccessScopes: Io<
    EC2.DescribeNetworkInsightsAccessScopesCommandInput,
    EC2.DescribeNetworkInsightsAccessScopesCommandOutput
  >
  DescribeNetworkInsightsAnalyses: Io<
    EC2.DescribeNetworkInsightsAnalysesCommandInput,
    EC2.DescribeNetworkInsightsAnalysesCommandOutput
  >
  DescribeNetworkInsightsPaths: Io<
    EC2.DescribeNetworkInsightsPathsCommandInput,
    EC2.DescribeNetworkInsightsPathsCommandOutput
  >
  DescribeNetworkInterfaceAttribute: Io<
    EC2.DescribeNetworkInterfaceAttributeCommandInput,
    EC2.DescribeNetworkInterfaceAttributeCommandOutput
  >
  DescribeNetworkInterfaces: Io<EC2.DescribeNetworkInterfacesCommandInput, EC2.DescribeNetworkInterfacesCommandOutput>
  DescribePrefixLists: Io<EC2.DescribePrefixListsCommandInput, EC2.DescribePrefixListsCommandOutput>
  DescribeRegions: Io<EC2.DescribeRegionsCommandInput, EC2.DescribeRegionsCommandOutput>
  DescribeRouteTables: Io<EC2.DescribeRouteTablesCommandInput, EC2.DescribeRouteTablesCommandOutput>
  DescribeSecurityGroupReferences: Io<
    EC2.DescribeSecurityGroupReferencesCommandInput,
    EC2.DescribeSecurityGroupReferencesCommandOutput
  >
  DescribeSecurityGroupRules: Io<
    EC2.DescribeSecurityGroupRulesCommandInput,
    EC2.DescribeSecurityGroupRulesCommandOutput
  >
  DescribeSecurityGroupVpcAssociations: Io<
    EC2.DescribeSecurityGroupVpcAssociationsCommandInput,
    EC2.DescribeSecurityGroupVpcAssociationsCommandOutput
  >
  DescribeSecurityGroups: Io<EC2.DescribeSecurityGroupsCommandInput, EC2.DescribeSecurityGroupsCommandOutput>
  DescribeSnapshots: Io<EC2.DescribeSnapshotsCommandInput, EC2.DescribeSnapshotsCommandOutput>
  DescribeStaleSecurityGroups: Io<
    EC2.DescribeStaleSecurityGroupsCommandInput,
    EC2.DescribeStaleSecurityGroupsCommandOutput
  >
  DescribeSubnets: Io<EC2.DescribeSubnetsCommandInput, EC2.DescribeSubnetsCommandOutput>
  DescribeTags: Io<EC2.DescribeTagsCommandInput, EC2.DescribeTagsCommandOutput>
  DescribeVolumes: Io<EC2.DescribeVolumesCommandInput, EC2.DescribeVolumesCommandOutput>
  DescribeVpcAttribute: Io<EC2.DescribeVpcAttributeCommandInput, EC2.DescribeVpcAttributeCommandOutput>
  DescribeVpcBlockPublicAccessExclusions: Io<
    EC2.DescribeVpcBlockPublicAccessExclusionsCommandInput,
    EC2.DescribeVpcBlockPublicAccessExclusionsCommandOutput
  >
  DescribeVpcBlockPublicAccessOptions: Io<
    EC2.DescribeVpcBlockPublicAccessOptionsCommandInput,
    EC2.DescribeVpcBlockPublicAccessOptionsCommandOutput
  >
  DescribeVpcEndpointServices: Io<
    EC2.DescribeVpcEndpointServicesCommandInput,
    EC2.DescribeVpcEndpointServicesCommandOutput
  >
  DescribeVpcEndpoints: Io<EC2.DescribeVpcEndpointsCommandInput, EC2.DescribeVpcEndpointsCommandOutput>
  DescribeVpcPeeringConnections: Io<
    EC2.DescribeVpcPeeringConnectionsCommandInput,
    EC2.DescribeVpcPeeringConnectionsCommandOutput
  >
  DescribeVpcs: Io<EC2.DescribeVpcsCommandInput, EC2.DescribeVpcsCommandOutput>
  DescribeVpnGateways: Io<EC2.DescribeVpnGatewaysCommandInput, EC2.DescribeVpnGatewaysCommandOutput>
  DetachInternetGateway: Io<EC2.DetachInternetGatewayCommandInput, EC2.DetachInternetGatewayCommandOutput>
  DetachNetworkInterface: Io<EC2.DetachNetworkInterfaceCommandInput, EC2.DetachNetworkInterfaceCommandOutput>
  DetachVolume: Io<EC2.DetachVolumeCommandInput, EC2.DetachVolumeCommandOutput>
  DetachVpnGateway: Io<EC2.DetachVpnGatewayCommandInput, EC2.DetachVpnGatewayCommandOutput>
  DisableEbsEncryptionByDefault: Io<
    EC2.DisableEbsEncryptionByDefaultCommandInput,
    EC2.DisableEbsEncryptionByDefaultCommandOutput
  >
  DisableSerialConsoleAccess: Io<
    EC2.DisableSerialConsoleAccessCommandInput,
    EC2.DisableSerialConsoleAccessCommandOutput
  >
  DisableVgwRoutePropagation: Io<
    EC2.DisableVgwRoutePropagationCommandInput,
    EC2.DisableVgwRoutePropagationCommandOutput
  >
  DisassociateAddress: Io<EC2.DisassociateAddressCommandInput, EC2.DisassociateAddressCommandOutput>
  DisassociateRouteTable: Io<EC2.DisassociateRouteTableCommandInput, EC2.DisassociateRouteTableCommandOutput>
  DisassociateSecurityGroupVpc: Io<
    EC2.DisassociateSecurityGroupVpcCommandInput,
    EC2.DisassociateSecurityGroupVpcCommandOutput
  >
  DisassociateSubnetCidrBlock: Io<
    EC2.DisassociateSubnetCidrBlockCommandInput,
    EC2.DisassociateSubnetCidrBlockCommandOutput
  >
  DisassociateVpcCidrBlock: Io<EC2.DisassociateVpcCidrBlockCommandInput, EC2.DisassociateVpcCidrBlockCommandOutput>
  EnableEbsEncryptionByDefault: Io<
    EC2.EnableEbsEncryptionByDefaultCommandInput,
    EC2.EnableEbsEncryptionByDefaultCommandOutput
  >
  EnableSerialConsoleAccess: Io<EC2.EnableSerialConsoleAccessCommandInput, EC2.EnableSerialConsoleAccessCommandOutput>
  EnableVgwRoutePropagation: Io<EC2.EnableVgwRoutePropagationCommandInput, EC2.EnableVgwRoutePropagationCommandOutput>
  GetConsoleOutput: Io<EC2.GetConsoleOutputCommandInput, EC2.GetConsoleOutputCommandOutput>
  GetEbsEncryptionByDefault: Io<EC2.GetEbsEncryptionByDefaultCommandInput, EC2.GetEbsEncryptionByDefaultCommandOutput>
  GetInstanceMetadataDefaults: Io<
    EC2.GetInstanceMetadataDefaultsCommandInput,
    EC2.GetInstanceMetadataDefaultsCommandOutput
  >
  GetManagedPrefixListAssociations: Io<
    EC2.GetManagedPrefixListAssociationsCommandInput,
    EC2.GetManagedPrefixListAssociationsCommandOutput
  >
  GetManagedPrefixListEntries: Io<
    EC2.GetManagedPrefixListEntriesCommandInput,
    EC2.GetManagedPrefixListEntriesCommandOutput
  >
  GetNetworkInsightsAccessScopeAnalysisFindings: Io<
    EC2.GetNetworkInsightsAccessScopeAnalysisFindingsCommandInput,
    EC2.GetNetworkInsightsAccessScopeAnalysisFindingsCommandOutput
  >
  GetNetworkInsightsAccessScopeContent: Io<
    EC2.GetNetworkInsightsAccessScopeContentCommandInput,
    EC2.GetNetworkInsightsAccessScopeContentCommandOutput
  >
  GetSecurityGroupsForVpc: Io<EC2.GetSecurityGroupsForVpcCommandInput, EC2.GetSecurityGroupsForVpcCommandOutput>
  GetSerialConsoleAccessStatus: Io<
    EC2.GetSerialConsoleAccessStatusCommandInput,
    EC2.GetSerialConsoleAccessStatusCommandOutput
  >
  ImportKeyPair: Io<EC2.ImportKeyPairCommandInput, EC2.ImportKeyPairCommandOutput>
  ModifyInstanceAttribute: Io<EC2.ModifyInstanceAttributeCommandInput, EC2.ModifyInstanceAttributeCommandOutput>
  ModifyInstanceConnectEndpoint: Io<
    EC2.ModifyInstanceConnectEndpointCommandInput,
    EC2.ModifyInstanceConnectEndpointCommandOutput
  >
  ModifyInstanceMetadataDefaults: Io<
    EC2.ModifyInstanceMetadataDefaultsCommandInput,
    EC2.ModifyInstanceMetadataDefaultsCommandOutput
  >
  ModifyInstanceMetadataOptions: Io<
    EC2.ModifyInstanceMetadataOptionsCommandInput,
    EC2.ModifyInstanceMetadataOptionsCommandOutput
  >
  ModifyManagedPrefixList: Io<EC2.ModifyManagedPrefixListCommandInput, EC2.ModifyManagedPrefixListCommandOutput>
  ModifyNetworkInterfaceAttribute: Io<
    EC2.ModifyNetworkInterfaceAttributeCommandInput,
    EC2.ModifyNetworkInterfaceAttributeCommandOutput
  >
  ModifySecurityGroupRules: Io<EC2.ModifySecurityGroupRulesCommandInput, EC2.ModifySecurityGroupRulesCommandOutput>
  ModifySubnetAttribute: Io<EC2.ModifySubnetAttributeCommandInput, EC2.ModifySubnetAttributeCommandOutput>
  ModifyVpcAttribute: Io<EC2.ModifyVpcAttributeCommandInput, EC2.ModifyVpcAttributeCommandOutput>
  ModifyVpcBlockPublicAccessExclusion: Io<
    EC2.ModifyVpcBlockPublicAccessExclusionCommandInput,
    EC2.ModifyVpcBlockPublicAccessExclusionCommandOutput
  >
  ModifyVpcBlockPublicAccessOptions: Io<
    EC2.ModifyVpcBlockPublicAccessOptionsCommandInput,
    EC2.ModifyVpcBlockPublicAccessOptionsCommandOutput
  >
  ModifyVpcEndpoint: Io<EC2.ModifyVpcEndpointCommandInput, EC2.ModifyVpcEndpointCommandOutput>
  ModifyVpcPeeringConnectionOptions: Io<
    EC2.ModifyVpcPeeringConnectionOptionsCommandInput,
    EC2.ModifyVpcPeeringConnectionOptionsCommandOutput
  >
  ModifyVpcTenancy: Io<EC2.ModifyVpcTenancyCommandInput, EC2.ModifyVpcTenancyCommandOutput>
  RebootInstances: Io<EC2.RebootInstancesCommandInput, EC2.RebootInstancesCommandOutput>
  RegisterImage: Io<EC2.RegisterImageCommandInput, EC2.RegisterImageCommandOutput>
  RejectVpcPeeringConnection: Io<
    EC2.RejectVpcPeeringConnectionCommandInput,
    EC2.RejectVpcPeeringConnectionCommandOutput
  >
  ReleaseAddress: Io<EC2.ReleaseAddressCommandInput, EC2.ReleaseAddressCommandOutput>
  ReplaceNetworkAclAssociation: Io<
    EC2.ReplaceNetworkAclAssociationCommandInput,
    EC2.ReplaceNetworkAclAssociationCommandOutput
  >
  ReplaceNetworkAclEntry: Io<EC2.ReplaceNetworkAclEntryCommandInput, EC2.ReplaceNetworkAclEntryCommandOutput>
  ReplaceRoute: Io<EC2.ReplaceRouteCommandInput, EC2.ReplaceRouteCommandOutput>
  ReplaceRouteTableAssociation: Io<
    EC2.ReplaceRouteTableAssociationCommandInput,
    EC2.ReplaceRouteTableAssociationCommandOutput
  >
  ResetNetworkInterfaceAttribute: Io<
    EC2.ResetNetworkInterfaceAttributeCommandInput,
    EC2.ResetNetworkInterfaceAttributeCommandOutput
  >
  RestoreManagedPrefixListVersion: Io<
    EC2.RestoreManagedPrefixListVersionCommandInput,
    EC2.RestoreManagedPrefixListVersionCommandOutput
  >
  RevokeSecurityGroupEgress: Io<EC2.RevokeSecurityGroupEgressCommandInput, EC2.RevokeSecurityGroupEgressCommandOutput>
  RevokeSecurityGroupIngress: Io<
    EC2.RevokeSecurityGroupIngressCommandInput,
    EC2.RevokeSecurityGroupIngressCommandOutput
  >
  RunInstances: Io<EC2.RunInstancesCommandInput, EC2.RunInstancesCommandOutput>
  StartInstances: Io<EC2.StartInstancesCommandInput, EC2.StartInstancesCommandOutput>
  StartNetworkInsightsAccessScopeAnalysis: Io<
    EC2.StartNetworkInsightsAccessScopeAnalysisCommandInput,
    EC2.StartNetworkInsightsAccessScopeAnalysisCommandOutput
  >
  StartNetworkInsightsAnalysis: Io<
    EC2.StartNetworkInsightsAnalysisCommandInput,
    EC2.StartNetworkInsightsAnalysisCommandOutput
  >
  StopInstances: Io<EC2.StopInstancesCommandInput, EC2.StopInstancesCommandOutput>
  TerminateInstances: Io<EC2.TerminateInstancesCommandInput, EC2.TerminateInstancesCommandOutput>
  UnassignIpv6Addresses: Io<EC2.UnassignIpv6AddressesCommandInput, EC2.UnassignIpv6AddressesCommandOutput>
  UnassignPrivateIpAddresses: Io<
    EC2.UnassignPrivateIpAddressesCommandInput,
    EC2.UnassignPrivateIpAddressesCommandOutput
  >
  UpdateSecurityGroupRuleDescriptionsEgress: Io<
    EC2.UpdateSecurityGroupRuleDescriptionsEgressCommandInput,
    EC2.UpdateSecurityGroupRuleDescriptionsEgressCommandOutput
  >
  UpdateSecurityGroupRuleDescriptionsIngress: Io<
    EC2.UpdateSecurityGroupRuleDescriptionsIngressCommandInput,
    EC2.UpdateSecurityGroupRuleDescriptionsIngressCommandOutput
  >
}
