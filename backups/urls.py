from django.urls import path

from backups.views import hardware, looking

app_name = "backups"

urlpatterns = [
    path("", looking.backups, name="backups"),
    path("drills/<uuid:pk>/", looking.drill, name="drill"),
    path("hardware/", hardware.devices, name="devices"),
    path("hardware/<int:number>/", hardware.device, name="device"),
    path("hardware/<int:number>/retire/", hardware.device_retire, name="device_retire"),
]
