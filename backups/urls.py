from django.urls import path

from backups.views import hardware, looking, recovery

app_name = "backups"

urlpatterns = [
    path("", looking.backups, name="backups"),
    path("drills/<uuid:pk>/", looking.drill, name="drill"),
    path("plan/", recovery.plan, name="plan"),
    path("plan/document/", recovery.plan_document, name="plan_document"),
    path("hardware/", hardware.devices, name="devices"),
    path("hardware/<int:number>/", hardware.device, name="device"),
    path("hardware/<int:number>/retire/", hardware.device_retire, name="device_retire"),
]
