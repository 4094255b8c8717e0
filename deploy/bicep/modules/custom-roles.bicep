// The roles that Azure does not have: each allows what one identity does, and nothing that it does not.
targetScope = 'subscription'

@description('Other subscriptions that have accounts under care; the roles can be assigned there too.')
param accountSubscriptionIds array = []

var roles = any(loadJsonContent('../../roles.json'))
var scopes = union([subscription().id], map(accountSubscriptionIds, id => '/subscriptions/${id}'))

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in items(roles.custom): {
  name: guid(subscription().id, role.key)
  properties: {
    // Names of roles are unique in a tenant, and another subscription of it may have an installation, too.
    roleName: '${role.key} ${uniqueString(subscription().id)}'
    description: role.value.what
    type: 'CustomRole'
    assignableScopes: scopes
    permissions: [
      {
        actions: role.value.actions
        notActions: []
        dataActions: role.value.dataActions
        notDataActions: []
      }
    ]
  }
}]

@description('The id of each role of deploy/roles.json, by its name.')
output roleIds object = union(
  toObject(items(roles.builtIn), role => role.key, role => subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)),
  toObject(items(roles.custom), role => role.key, role => subscriptionResourceId('Microsoft.Authorization/roleDefinitions', guid(subscription().id, role.key)))
)
