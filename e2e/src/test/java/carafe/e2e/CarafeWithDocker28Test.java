package carafe.e2e;

/// Our engine, asked through the docker command 28.x.
final class CarafeWithDocker28Test extends DockerCommandContract {
    CarafeWithDocker28Test() throws Exception {
        super(new CarafeDaemon(), Client.docker28());
    }
}
