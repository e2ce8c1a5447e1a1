package carafe.e2e;

/// The questions held against Docker itself: its engine 20.10, asked through the command 28.x.
final class DockerWithDocker28Test extends DockerCommandContract {
    DockerWithDocker28Test() throws Exception {
        super(new DebianDocker(), Client.docker28());
    }
}
