output "vpc_id" {
  description = "The network."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "The private subnets, one in each zone."
  value       = aws_subnet.private[*].id
}

output "functions" {
  description = "Subnets and security groups of functions: `network` of an installation."
  value = {
    subnet_ids         = aws_subnet.private[*].id
    security_group_ids = [aws_security_group.functions.id]
  }
}

output "function_security_group_id" {
  description = "Security group of the functions, from which a database must allow connections."
  value       = aws_security_group.functions.id
}

output "warehouse_security_group_ids" {
  description = "Security groups of a warehouse."
  value       = [aws_security_group.warehouse.id]
}
