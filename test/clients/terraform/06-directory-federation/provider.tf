terraform {
  required_providers { aws = { source = "hashicorp/aws", version = "5.100.0" } }
}
variable "rev" { default = "1" }
provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  max_retries             = 2
  default_tags { tags = { suite = "merlon", rev = var.rev } }
}
data "aws_caller_identity" "me" {}
locals { account = data.aws_caller_identity.me.account_id }
