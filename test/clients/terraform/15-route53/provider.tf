terraform {
  required_providers { aws = { source = "hashicorp/aws", version = "~> 5.0" } }
}
variable "rev" { default = "1" }
provider "aws" {
  region                  = "us-east-1"
  skip_metadata_api_check = true
  max_retries             = 2
  s3_use_path_style       = true
  default_tags { tags = { suite = "merlon", rev = var.rev } }
}
