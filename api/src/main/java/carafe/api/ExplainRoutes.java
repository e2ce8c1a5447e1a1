package carafe.api;

import carafe.engine.Containers;

/// What this engine adds to Docker's API: the tape of a start, in words; from where ports can be reached.
final class ExplainRoutes {

    private final Containers containers;

    ExplainRoutes(Containers containers) {
        this.containers = containers;
    }

    void addTo(Routes routes) {
        routes.add("GET /carafe/v1/containers/{id}/tape", call -> call.answer(containers.explain(call.name("id"))));
        routes.add("GET /carafe/v1/containers/{id}/reach",
                call -> call.answer(NetworkMessages.reach(containers.reach(call.name("id")))));
        routes.add("POST /carafe/v1/dry-run",
                call -> call.answer(containers.dryRun(ContainerRoutes.createRequest(call))));
    }
}
