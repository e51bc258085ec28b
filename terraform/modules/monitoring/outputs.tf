output "alarms" {
  description = "Names of the alarms."
  value       = local.names
}

output "unhealthy_arn" {
  description = "The alarm over all alarms: for a deployment that waits for it, or for another dashboard."
  value       = one(aws_cloudwatch_composite_alarm.unhealthy[*].arn)
}
