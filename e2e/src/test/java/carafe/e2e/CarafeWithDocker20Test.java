package carafe.e2e;

/// Our engine, asked through the docker command 20.10.
final class CarafeWithDocker20Test extends DockerCommandContract {
    CarafeWithDocker20Test() throws Exception {
        super(new CarafeDaemon(), Client.docker20());
    }
}
