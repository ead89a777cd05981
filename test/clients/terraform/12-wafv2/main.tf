# Web ACLs as teams write them: sets, an own group, rules of every kind, what they protect and where requests are logged.
resource "aws_wafv2_ip_set" "bad" {
  name               = "bad-ips"
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = var.rev == "1" ? ["192.0.2.0/24"] : ["192.0.2.0/24", "198.51.100.7/32"]
}
resource "aws_wafv2_regex_pattern_set" "ua" {
  name  = "bad-ua"
  scope = "REGIONAL"
  regular_expression { regex_string = "(?i)sqlmap" }
  regular_expression { regex_string = "(?i)nikto" }
}
resource "aws_wafv2_rule_group" "g" {
  name     = "group"
  scope    = "REGIONAL"
  capacity = 50
  rule {
    name     = "geo"
    priority = 1
    action { 
      block {} 
    }
    statement {
      geo_match_statement { country_codes = ["KP"] }
    }
    visibility_config {
      cloudwatch_metrics_enabled = false
      metric_name                = "geo"
      sampled_requests_enabled   = false
    }
  }
  visibility_config {
    cloudwatch_metrics_enabled = false
    metric_name                = "g"
    sampled_requests_enabled   = false
  }
}
resource "aws_wafv2_web_acl" "acl" {
  name        = "acl"
  description = "rev ${var.rev}"
  scope       = "REGIONAL"
  default_action { 
    allow {} 
  }
  custom_response_body {
    key          = "blocked"
    content      = "{\"error\":\"blocked\"}"
    content_type = "APPLICATION_JSON"
  }
  rule {
    name     = "managed"
    priority = 1
    override_action { 
      none {} 
    }
    statement {
      managed_rule_group_statement {
        name        = "AWSManagedRulesCommonRuleSet"
        vendor_name = "AWS"
        rule_action_override {
          name = "SizeRestrictions_BODY"
          action_to_use { 
            count {} 
          }
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "managed"
      sampled_requests_enabled   = true
    }
  }
  rule {
    name     = "rate"
    priority = 2
    action {
      block {
        custom_response {
          response_code            = 429
          custom_response_body_key = "blocked"
          response_header {
            name  = "X-Blocked"
            value = "1"
          }
        }
      }
    }
    statement {
      rate_based_statement {
        limit                 = var.rev == "1" ? 500 : 1000
        evaluation_window_sec = 120
        aggregate_key_type    = "IP"
        scope_down_statement {
          byte_match_statement {
            positional_constraint = "STARTS_WITH"
            search_string         = "/login"
            field_to_match { 
              uri_path {} 
            }
            text_transformation {
              priority = 0
              type     = "LOWERCASE"
            }
          }
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = true
    }
  }
  rule {
    name     = "ips"
    priority = 3
    action { 
      block {} 
    }
    statement {
      or_statement {
        statement {
          ip_set_reference_statement { arn = aws_wafv2_ip_set.bad.arn }
        }
        statement {
          regex_pattern_set_reference_statement {
            arn = aws_wafv2_regex_pattern_set.ua.arn
            field_to_match {
              single_header { name = "user-agent" }
            }
            text_transformation {
              priority = 0
              type     = "NONE"
            }
          }
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "ips"
      sampled_requests_enabled   = true
    }
  }
  rule {
    name     = "sqli-xss"
    priority = 4
    action { 
      block {} 
    }
    statement {
      and_statement {
        statement {
          not_statement {
            statement {
              size_constraint_statement {
                comparison_operator = "EQ"
                size                = 0
                field_to_match { 
                  query_string {} 
                }
                text_transformation {
                  priority = 0
                  type     = "NONE"
                }
              }
            }
          }
        }
        statement {
          sqli_match_statement {
            sensitivity_level = "HIGH"
            field_to_match { 
              all_query_arguments {} 
            }
            text_transformation {
              priority = 0
              type     = "URL_DECODE"
            }
            text_transformation {
              priority = 1
              type     = "HTML_ENTITY_DECODE"
            }
          }
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "sqli"
      sampled_requests_enabled   = true
    }
  }
  rule {
    name     = "own-group"
    priority = 5
    override_action { 
      count {} 
    }
    statement {
      rule_group_reference_statement { arn = aws_wafv2_rule_group.g.arn }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "own"
      sampled_requests_enabled   = true
    }
  }
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "acl"
    sampled_requests_enabled   = true
  }
}
resource "aws_cognito_user_pool" "people" {
  name = "people"
}
resource "aws_wafv2_web_acl_association" "people" {
  resource_arn = aws_cognito_user_pool.people.arn
  web_acl_arn  = aws_wafv2_web_acl.acl.arn
}
resource "aws_s3_bucket" "logs" {
  bucket        = "aws-waf-logs-suite"
  force_destroy = true
}
resource "aws_wafv2_web_acl_logging_configuration" "logs" {
  log_destination_configs = [aws_s3_bucket.logs.arn]
  resource_arn            = aws_wafv2_web_acl.acl.arn
  redacted_fields {
    single_header { name = "authorization" }
  }
  logging_filter {
    default_behavior = var.rev == "1" ? "KEEP" : "DROP"
    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"
      condition {
        action_condition { action = "BLOCK" }
      }
    }
  }
}
resource "aws_wafv2_api_key" "key" {
  scope         = "REGIONAL"
  token_domains = ["shop.example"]
}
data "aws_wafv2_web_acl" "acl" {
  name       = aws_wafv2_web_acl.acl.name
  scope      = "REGIONAL"
  depends_on = [aws_wafv2_web_acl.acl]
}
data "aws_wafv2_ip_set" "bad" {
  name       = aws_wafv2_ip_set.bad.name
  scope      = "REGIONAL"
  depends_on = [aws_wafv2_ip_set.bad]
}
