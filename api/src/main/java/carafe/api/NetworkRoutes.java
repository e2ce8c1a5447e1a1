package carafe.api;

import carafe.engine.Networks;
import carafe.spec.EngineException.Invalid;
import carafe.spec.EngineException.NotFound;
import carafe.spec.Json;
import carafe.spec.docker.EndpointSettings;
import carafe.spec.docker.NetworkCreateRequest;

/// Networks.
final class NetworkRoutes {

    private final Networks networks;

    NetworkRoutes(Networks networks) {
        this.networks = networks;
    }

    void addTo(Routes routes) {
        routes.add("GET /networks", this::list);
        routes.add("POST /networks/create", this::create);
        routes.add("POST /networks/prune", this::prune);
        routes.add("GET /networks/{id}", this::inspect);
        routes.add("DELETE /networks/{id}", this::remove);
        routes.add("POST /networks/{id}/connect", this::connect);
        routes.add("POST /networks/{id}/disconnect", this::disconnect);
    }

    private void list(Call call) throws Exception {
        var version = call.version();
        call.answer(Json.ofAll(networks.list(call.filters()).stream()
                .map(network -> NetworkMessages.network(network, version, false))
                .toList()));
    }

    private void inspect(Call call) throws Exception {
        String scope = call.text("scope");
        if (!scope.isEmpty() && !scope.equals("local") && !scope.equals("swarm") && !scope.equals("global")) {
            throw new Invalid("invalid scope: " + scope);
        }
        var network = networks.inspect(call.name("id"));
        if (!scope.isEmpty() && !scope.equals("local")) { // all of them are this host's
            throw new NotFound("network " + call.name("id") + " not found");
        }
        call.answer(NetworkMessages.network(network, call.version(), true));
    }

    private void create(Call call) throws Exception {
        String id = networks.create(NetworkCreateRequest.parse(call.body()));
        call.answer(201, Json.object().put("Id", id).put("Warning", networks.warning(id)).build());
    }

    private void remove(Call call) throws Exception {
        networks.remove(call.name("id"));
        call.answerNothing(204);
    }

    private void connect(Call call) throws Exception {
        var body = call.body();
        networks.connect(
                call.name("id"), body.text("Container"), EndpointSettings.parse(body.object("EndpointConfig")));
        call.answerNothing(200);
    }

    private void disconnect(Call call) throws Exception {
        var body = call.body();
        networks.disconnect(call.name("id"), body.text("Container"), body.truth("Force"));
        call.answerNothing(200);
    }

    private void prune(Call call) throws Exception {
        var removed = networks.prune(call.filters());
        call.answer(Json.object()
                .put("NetworksDeleted", removed.isEmpty() ? Json.NULL : Json.ofTexts(removed))
                .build());
    }
}
