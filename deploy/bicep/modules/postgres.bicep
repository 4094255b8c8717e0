// The database. Everybody signs in with Entra, people and services: it has no password.
param location string
param name string

@description('Who administers it in Entra: an object id, better of a group than of a person.')
param administratorId string

param administratorName string

@allowed(['Group', 'User', 'ServicePrincipal'])
param administratorType string = 'Group'

@description('Addresses from which the cluster goes out.')
param allowedAddresses array = []

@description('A second server in another zone that takes over. Rotations wait while there is no database.')
param highAvailability bool = true

param workspaceId string = ''

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  sku: {
    name: 'Standard_D2ds_v5'
    tier: 'GeneralPurpose'
  }
  properties: {
    version: '17'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: {
      storageSizeGB: 32
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: 14
      geoRedundantBackup: 'Disabled'
    }
    highAvailability: {
      mode: highAvailability ? 'ZoneRedundant' : 'Disabled'
    }
  }
}

resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = {
  parent: server
  name: administratorId
  properties: {
    principalName: administratorName
    principalType: administratorType
    tenantId: tenant().tenantId
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: 'twinkey'
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
  // The server does one thing at a time.
  dependsOn: [administrator]
}

@batchSize(1)
resource addresses 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2024-08-01' = [for (address, index) in allowedAddresses: {
  parent: server
  name: 'cluster-${index}'
  properties: {
    startIpAddress: address
    endIpAddress: address
  }
  dependsOn: [database]
}]

resource lock 'Microsoft.Authorization/locks@2020-05-01' = {
  scope: server
  name: 'rotations-in-progress'
  properties: {
    level: 'CanNotDelete'
    notes: 'It knows which calls are in doubt and who has acknowledged what.'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = if (!empty(workspaceId)) {
  scope: server
  name: 'twinkey'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'allLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output host string = server.properties.fullyQualifiedDomainName
