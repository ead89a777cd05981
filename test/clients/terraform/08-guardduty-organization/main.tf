# The organization and its accounts exist; the keys are of the account that is to administer GuardDuty.
variable "administrator" {
  type = object({ id = string, access_key = string, secret_key = string, token = string })
}
provider "aws" {
  alias                   = "administrator"
  region                  = "us-east-1"
  skip_metadata_api_check = true
  max_retries             = 2
  access_key              = var.administrator.access_key
  secret_key              = var.administrator.secret_key
  token                   = var.administrator.token
}
resource "aws_guardduty_organization_admin_account" "a" {
  admin_account_id = var.administrator.id
}
data "aws_guardduty_detector" "d" {
  provider   = aws.administrator
  depends_on = [aws_guardduty_organization_admin_account.a]
}
resource "aws_guardduty_organization_configuration" "c" {
  provider                         = aws.administrator
  auto_enable_organization_members = var.rev == "1" ? "ALL" : "NEW"
  detector_id                      = data.aws_guardduty_detector.d.id
}
resource "aws_guardduty_organization_configuration_feature" "s3" {
  provider    = aws.administrator
  detector_id = data.aws_guardduty_detector.d.id
  name        = "S3_DATA_EVENTS"
  auto_enable = var.rev == "1" ? "ALL" : "NEW"
  depends_on  = [aws_guardduty_organization_configuration.c]
}
resource "aws_guardduty_organization_configuration_feature" "runtime" {
  provider    = aws.administrator
  detector_id = data.aws_guardduty_detector.d.id
  name        = "RUNTIME_MONITORING"
  auto_enable = "NEW"
  # All three, in the order in which GuardDuty lists them: the provider compares a list.
  additional_configuration {
    name        = "EKS_ADDON_MANAGEMENT"
    auto_enable = "NONE"
  }
  additional_configuration {
    name        = "ECS_FARGATE_AGENT_MANAGEMENT"
    auto_enable = "NONE"
  }
  additional_configuration {
    name        = "EC2_AGENT_MANAGEMENT"
    auto_enable = var.rev == "1" ? "NEW" : "NONE"
  }
  depends_on = [aws_guardduty_organization_configuration_feature.s3]
}
resource "aws_guardduty_filter" "f" {
  provider    = aws.administrator
  name        = "quiet"
  action      = "ARCHIVE"
  detector_id = data.aws_guardduty_detector.d.id
  rank        = 1
  finding_criteria {
    criterion {
      field  = "type"
      equals = ["Recon:EC2/Portscan"]
    }
  }
}
resource "aws_guardduty_malware_protection_plan" "m" {
  role = "arn:aws:iam::${local.account}:role/scanner"
  protected_resource {
    s3_bucket {
      bucket_name     = "uploads-of-suite"
      object_prefixes = var.rev == "1" ? ["a/"] : ["a/", "b/"]
    }
  }
  actions {
    tagging { status = "ENABLED" }
  }
}
