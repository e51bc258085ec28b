variable "name" {
  description = "Prefix of the names of all resources."
  type        = string
  default     = "etalon"
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
  default     = "10.64.0.0/20"

  validation {
    condition     = can(cidrsubnet(var.cidr, 4, 0))
    error_message = "cidr must be a range of addresses such as 10.64.0.0/20."
  }
}

variable "zones" {
  description = "Availability zones, one private subnet in each. At least two for functions, three for Redshift Serverless."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 8
    error_message = "zones must have 2 to 8 entries: with two or more, the loss of one zone stops nothing."
  }
}

variable "endpoints" {
  description = "Services that the functions reach by an endpoint. A pipeline needs sqs, events and redshift-data; also secretsmanager and kms if it uses them. Each costs about 7 USD a month and zone."
  type        = set(string)
  default     = ["sqs", "events", "redshift-data", "secretsmanager"]
}

variable "endpoint_zones" {
  description = "Number of zones in which an endpoint has an address. One is cheaper; with more, the endpoint survives the loss of a zone."
  type        = number
  default     = 1
}

variable "has_nat" {
  description = "Whether there is a NAT gateway: for sources on the internet. It costs about 33 USD a month, and 0.045 USD a gigabyte."
  type        = bool
  default     = false
}

variable "database_ports" {
  description = "Ports of databases that functions read from, in this network."
  type        = set(number)
  default     = []
}

variable "tags" {
  description = "Tags of all resources."
  type        = map(string)
  default     = {}
}
