resource "aws_vpc" "inside" { cidr_block = "10.30.0.0/16" }
resource "aws_vpc" "second" { cidr_block = "10.31.0.0/16" }
resource "aws_route53_zone" "open" { name = "shop.test" }
resource "aws_route53_zone" "inside" {
  name    = "shop.test"
  comment = "rev ${var.rev}"
  vpc { vpc_id = aws_vpc.inside.id }
  # The second VPC has a resource of its own.
  lifecycle { ignore_changes = [vpc] }
}
resource "aws_route53_zone_association" "second" {
  zone_id = aws_route53_zone.inside.zone_id
  vpc_id  = aws_vpc.second.id
}
resource "aws_route53_vpc_association_authorization" "second" {
  zone_id = aws_route53_zone.inside.zone_id
  vpc_id  = aws_vpc.second.id
}
resource "aws_route53_health_check" "first" {
  type              = "HTTPS_STR_MATCH"
  fqdn              = "first.shop.test"
  port              = 443
  resource_path     = "/up"
  search_string     = "well"
  request_interval  = 10
  failure_threshold = 1 + var.rev
  tags              = { rev = tostring(var.rev) }
}
resource "aws_route53_health_check" "second" {
  type             = "TCP"
  ip_address       = "8.8.8.8"
  port             = 53
  request_interval = 30
  disabled         = var.rev == 2
}
resource "aws_route53_health_check" "both" {
  type                   = "CALCULATED"
  child_health_threshold = var.rev
  child_healthchecks     = [aws_route53_health_check.first.id, aws_route53_health_check.second.id]
}
resource "aws_route53_record" "first" {
  zone_id         = aws_route53_zone.open.zone_id
  name            = "www.shop.test"
  type            = "A"
  ttl             = 10 * var.rev
  records         = ["192.0.2.1"]
  set_identifier  = "first"
  health_check_id = aws_route53_health_check.first.id
  failover_routing_policy { type = "PRIMARY" }
}
resource "aws_route53_record" "second" {
  zone_id        = aws_route53_zone.open.zone_id
  name           = "www.shop.test"
  type           = "A"
  ttl            = 10
  records        = ["192.0.2.2"]
  set_identifier = "second"
  failover_routing_policy { type = "SECONDARY" }
}
resource "aws_route53_record" "weighted" {
  for_each       = { a = 1, b = 2 * var.rev }
  zone_id        = aws_route53_zone.open.zone_id
  name           = "api.shop.test"
  type           = "CNAME"
  ttl            = 10
  records        = ["${each.key}.shop.test"]
  set_identifier = each.key
  weighted_routing_policy { weight = each.value }
}
resource "aws_route53_record" "several" {
  count                            = 2
  zone_id                          = aws_route53_zone.open.zone_id
  name                             = "all.shop.test"
  type                             = "A"
  ttl                              = 10
  records                          = ["192.0.2.${count.index + 3}"]
  set_identifier                   = tostring(count.index)
  health_check_id                  = aws_route53_health_check.second.id
  multivalue_answer_routing_policy = true
}
resource "aws_route53_record" "apex" {
  zone_id = aws_route53_zone.open.zone_id
  name    = "shop.test"
  type    = "A"
  alias {
    name                   = "www.shop.test"
    zone_id                = aws_route53_zone.open.zone_id
    evaluate_target_health = var.rev == 2
  }
}
resource "aws_route53_record" "inside" {
  zone_id = aws_route53_zone.inside.zone_id
  name    = "www.shop.test"
  type    = "A"
  ttl     = 10
  records = ["10.30.0.${var.rev}"]
}
