from serve import serve
from control import option

PATH = option("path")


def send_file(connection):
    with open(PATH, "rb") as file:
        connection.sendfile(file)


serve(send_file)
